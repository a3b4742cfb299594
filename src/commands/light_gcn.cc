#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "commands/unused_settings.h"
#include "distributed/flight_marks.h"
#include "pipeline/light_gcn_files.h"

namespace rallrec::commands {
namespace {

int run_on_files(const pipeline::LightGcnFiles& files, CommandContext& context) {
  require_flag(files.interactions, "--interactions", "--output");
  require_flag(files.output, "--output", "--interactions");
  distributed::keep_flight_in(files.output);
  warn_without_effect(context, {"light_gcn.edges", "light_gcn.held_out_min_rows"},
                      "on your own files every row of --interactions is an edge, and --valid alone "
                      "is held out");
  if (files.valid.empty()) {
    warn_without_effect(context, {"light_gcn.evaluate_every", "light_gcn.patience"},
                        "without --valid all epochs are trained");
  }
  pipeline::light_gcn_on_files(files, context.options, context.communicator);
  return 0;
}

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::LightGcnFiles>();
  const auto file = [&app](const char* flag, std::string& target, const char* help) {
    return app.add_option(flag, target, help)->type_name("FILE");
  };
  const auto* interactions =
      file("--interactions", files->interactions,
           "RecBole .inter file to train on; its rows are the edges, those rated below "
           "light_gcn.min_rating left out");
  const auto* valid = file("--valid", files->valid,
                           ".inter file that chooses the epoch [none: all epochs are trained]");
  const auto* test =
      file("--test", files->test, ".inter file to rank all items for at the end [none]");
  const auto* output =
      app.add_option("--output", files->output, "Folder for the results")->type_name("DIR");
  return stage_or_files(app, "light_gcn", {interactions, valid, test, output},
                        [files](CommandContext& context) { return run_on_files(*files, context); });
}

}  // namespace

Command light_gcn_command() {
  Command command;
  command.name = "light_gcn";
  command.group = kStagesGroup;
  command.summary = "Collaborative embeddings from the graph of who rated what";
  command.description =
      "Trains LightGCN with the BPR loss. On your own files it writes item_embeddings.npy, "
      "user_embeddings.npy, items.txt and users.txt (the id of each row) and metrics.json: recall "
      "and ndcg of the full ranking with training items masked, as the mean over the users of the "
      "test file. The model knows the users and items of --interactions: rows of the other files "
      "about others count as not found, and are counted in metrics.json. The score of a pair is "
      "the "
      "dot product; what has no edge has the zero vector. Settings are the keys of section "
      "[light_gcn], for example --set light_gcn.layers=3.";
  command.example =
      "rallrec light_gcn --interactions train.inter --test test.inter --output graph/";
  command.define = define;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
