#include "pipeline/evaluate.h"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "metrics/common_rows.h"
#include "metrics/evaluation_json.h"
#include "metrics/score_file.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string scores;
  std::string against;
  std::string output;
};

void print_result(const std::string& path, const std::string& text) {
  if (!path.empty()) {
    io::write_file_atomically(path, text);
  } else if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
    throw_io("stdout", "write", errno);
  }
}

io::JsonObjectWriter metrics_of(const metrics::ScoredSamples& samples, CommandContext& context) {
  return metrics::evaluation_json(metrics::evaluate_samples(
      context.communicator, samples, pipeline::bootstrap_options(context.options.evaluate)));
}

// Files that say which rows of the data set they score are compared on the rows of both; others
// must score the same samples line by line.
void match_rows(const Flags& flags, bool tells, metrics::ScoredSamples& samples,
                metrics::ScoredSamples& against) {
  if (samples.rows.empty() || against.rows.empty()) {
    if (!metrics::same_samples(samples, against)) {
      throw_bad_data(flags.against,
                     "does not score the samples of " + flags.scores +
                         " line by line; they can be matched where every line of both has user, "
                         "item and timestamp");
    }
    return;
  }
  const std::vector<std::uint64_t> rows = metrics::common_rows({&samples, &against});
  if (rows.empty()) {
    throw_bad_data(flags.against, "scores none of the samples of " + flags.scores);
  }
  if (tells && (rows.size() < samples.rows.size() || rows.size() < against.rows.size())) {
    spdlog::warn("{} of {} lines of {} and of {} of {} are compared: those that both score",
                 rows.size(), samples.rows.size(), flags.scores, against.rows.size(),
                 flags.against);
  }
  samples = metrics::restricted_to(samples, rows);
  against = metrics::restricted_to(against, rows);
}

io::JsonObjectWriter comparison(const Flags& flags, metrics::ScoredSamples samples,
                                CommandContext& context) {
  metrics::ScoredSamples against =
      metrics::read_scored_samples(context.communicator, flags.against);
  match_rows(flags, context.communicator.rank() == 0, samples, against);
  const metrics::EvaluationDifference difference =
      metrics::evaluate_difference(context.communicator, against, samples,
                                   pipeline::bootstrap_options(context.options.evaluate));
  io::JsonObjectWriter object;
  object.add_json("scores", metrics_of(samples, context).text());
  object.add_json("against", metrics_of(against, context).text());
  object.add_json("difference", metrics::difference_json(difference).text());
  return object;
}

int evaluate_file(const Flags& flags, CommandContext& context) {
  require_flag(flags.scores, "--scores", flags.against.empty() ? "--output" : "--against");
  if (!flags.output.empty()) {
    require_output(flags.output, {flags.scores, flags.against}, context);
  }
  const metrics::ScoredSamples samples =
      metrics::read_scored_samples(context.communicator, flags.scores);
  const std::string text = flags.against.empty() ? metrics_of(samples, context).text()
                                                 : comparison(flags, samples, context).text();
  if (context.communicator.rank() == 0) {
    print_result(flags.output, text + "\n");
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
  const CLI::Option* against =
      app.add_option("--against", flags->against,
                     "Scores of the same samples by another system: also print what --scores "
                     "exceeds them by, with paired intervals and DeLong's test of the AUC")
          ->type_name("FILE");
  const CLI::Option* output =
      app.add_option("--output", flags->output, "Where the JSON object goes [stdout]")
          ->type_name("FILE");
  return stage_or_files(
      app, "evaluate", {scores, against, output},
      [flags](CommandContext& context) { return evaluate_file(*flags, context); });
}

}  // namespace

Command evaluate_command() {
  Command command;
  command.name = "evaluate";
  command.group = kStagesGroup;
  command.summary = "AUC, log loss and accuracy with intervals from scored prompts";
  command.description =
      "Prints one JSON object: n, positive_rate, auc, log_loss, accuracy and their 95 % intervals "
      "(a bootstrap over users, or over lines where they have no user: resampled says which; null "
      "where one cannot be computed), and auc_squashed and "
      "log_loss_squashed where every line has score_squashed. With --against the object is "
      "{scores, against, difference}, on the rows that "
      "both files score (matched by user, item and timestamp where every line has them). In a run "
      "folder the tuned and the "
      "zero-shot scores go to evaluate/metrics.json, on the whole test set and on its first 10,000 "
      "prompts, with the difference where both score the same prompts.";
  command.example = "rallrec evaluate --scores scores.jsonl";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
