#include "pipeline/recommend.h"

#include <memory>

#include "commands/checks.h"
#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

struct Flags {
  pipeline::RecommendRequest request;
  std::string pairs;
};

void check(const Flags& flags) {
  if (flags.request.user.empty() && flags.pairs.empty()) {
    throw_usage("give --user ID for recommendations, or --pairs FILE to score pairs");
  }
  if (!flags.request.user.empty() && !flags.pairs.empty()) {
    throw_usage("--user and --pairs exclude each other: give --user ID for recommendations, or " +
                std::string("--pairs FILE to score pairs"));
  }
  if (!flags.pairs.empty() && !flags.request.candidates.empty()) {
    throw_usage("--candidates goes with --user; --pairs says itself what is scored");
  }
  if (!flags.pairs.empty()) {
    io::require_plain_file(flags.pairs);
  }
}

int run(const Flags& flags, CommandContext& context) {
  check(flags);
  const std::string& output = flags.request.output;
  if (context.communicator.rank() == 0 && !output.empty()) {
    io::require_place_for(output, {flags.pairs, flags.request.candidates});
  }
  const pipeline::StageContext run{context.options, context.communicator, run_folder_of(context)};
  if (flags.pairs.empty()) {
    pipeline::recommend(flags.request, run);
  } else {
    pipeline::score_pairs(flags.pairs, output, run);
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  pipeline::RecommendRequest& request = flags->request;
  app.add_option("--user", request.user, "Whom to recommend to: an id of the data set")
      ->type_name("ID");
  app.add_option("--top", request.top, "Items to give [10]")
      ->type_name("N")
      ->check(whole_number_from(1));
  app.add_option("--candidates", request.candidates,
                 "JSON Lines {\"item\": …} to choose from [all that the user has not rated]")
      ->type_name("FILE");
  app.add_option("--shortlist", request.shortlist,
                 "Where there are more candidates, only the best N get a prompt [100]")
      ->type_name("N")
      ->check(whole_number_from(1));
  app.add_option("--shortlist-by", request.shortlist_by,
                 "vectors: those of retrieve, against what the user liked; light_gcn: the graph "
                 "embeddings [vectors]")
      ->type_name("vectors|light_gcn");
  app.add_option("--why", request.reasons, "Items of the history to print below each [3]")
      ->type_name("N")
      ->check(whole_number_from(0));
  app.add_option("--pairs", flags->pairs,
                 "Instead of --user: JSON Lines {\"user\": …, \"item\": …}, each to be scored")
      ->type_name("FILE");
  app.add_option("--output", request.output, "JSON Lines [stdout: a table; with --pairs the lines]")
      ->type_name("FILE");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command recommend_command() {
  Command command;
  command.name = "recommend";
  command.group = kPipelineGroup;
  command.summary = "The best items for a user, or scores of new pairs";
  command.description =
      "Scores items for a user with a finished run: a prompt for each candidate, with the history "
      "that is retrieved for it, answered by the tuned model. Prints the best with the items of "
      "the history that are nearest to them and their similarity. The history is everything the "
      "user did. With --pairs each line of the file gets score, logit_yes and logit_no instead. "
      "Needs the stages ingest to tune of the run.";
  command.example = "rallrec recommend --run-dir runs/demo --user 42 --top 10";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
