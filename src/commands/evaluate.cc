#include "pipeline/evaluate.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "metrics/evaluation_json.h"
#include "metrics/score_file.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string scores;
  std::string output;
};

void print_result(const std::string& path, const std::string& text) {
  if (!path.empty()) {
    io::write_file_atomically(path, text);
  } else if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
    throw_io("stdout", "write", errno);
  }
}

int evaluate_file(const Flags& flags, CommandContext& context) {
  require_flag(flags.scores, "--scores", "--output");
  if (!flags.output.empty() && context.communicator.rank() == 0) {
    io::require_place_for(flags.output, {flags.scores});
  }
  const metrics::ScoredSamples samples =
      metrics::read_scored_samples(context.communicator, flags.scores);
  const metrics::Evaluation evaluation = metrics::evaluate_samples(
      context.communicator, samples, pipeline::bootstrap_options(context.options.evaluate));
  if (context.communicator.rank() == 0) {
    print_result(flags.output, metrics::evaluation_json(evaluation).text() + "\n");
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  const CLI::Option* scores = app.add_option("--scores", flags->scores,
                                             "JSON Lines with label (0 or 1; or output: Yes. / "
                                             "No.), score and, where known, user and "
                                             "score_squashed")
                                  ->type_name("FILE");
  const CLI::Option* output =
      app.add_option("--output", flags->output, "Where the JSON object goes [stdout]")
          ->type_name("FILE");
  return stage_or_files(app, "evaluate", {scores, output}, [flags](CommandContext& context) {
    return evaluate_file(*flags, context);
  });
}

}  // namespace

Command evaluate_command() {
  Command command;
  command.name = "evaluate";
  command.group = kStagesGroup;
  command.summary = "AUC, log loss and accuracy with intervals from scored prompts";
  command.description =
      "Prints one JSON object: n, positive_rate, auc, log_loss, accuracy and their 95 % intervals "
      "(a bootstrap over users; null where one cannot be computed), and auc_squashed and "
      "log_loss_squashed where every line has score_squashed. In a run folder the tuned and the "
      "zero-shot scores go to evaluate/metrics.json, on the whole test set and on its first 10,000 "
      "prompts, with the difference where both score the same prompts.";
  command.example = "rallrec evaluate --scores scores.jsonl";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
