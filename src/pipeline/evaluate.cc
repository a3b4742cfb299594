#include "pipeline/evaluate.h"

#include "io/atomic_file.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "metrics/evaluation_json.h"
#include "metrics/score_file.h"

namespace rallrec::pipeline {
namespace {

metrics::ScoredSamples read_file(StageContext& context, const std::string& name) {
  return metrics::read_scored_samples(context.communicator, context.run_dir + "/" + name);
}

std::string metrics_json(StageContext& context, const metrics::ScoredSamples& samples) {
  const metrics::BootstrapOptions options = bootstrap_options(context.options.evaluate);
  const metrics::Evaluation all = metrics::evaluate_samples(context.communicator, samples, options);
  const metrics::Evaluation published = metrics::evaluate_samples(
      context.communicator, samples.first(kPublishedTestPrompts), options);
  return metrics::evaluation_json(all)
      .add_json("first_10000", metrics::evaluation_json(published).text())
      .text();
}

void add_zero_shot(StageContext& context, const metrics::ScoredSamples& tuned,
                   const std::string& name, io::JsonObjectWriter& object) {
  const metrics::ScoredSamples zero_shot = read_file(context, name);
  object.add_json("zero_shot", metrics_json(context, zero_shot));
  if (metrics::same_samples(zero_shot, tuned)) {
    const metrics::EvaluationDifference difference = metrics::evaluate_difference(
        context.communicator, zero_shot, tuned, bootstrap_options(context.options.evaluate));
    object.add_json("tuned_minus_zero_shot", metrics::difference_json(difference).text());
  }
}

}  // namespace

metrics::BootstrapOptions bootstrap_options(const config::EvaluateOptions& options) {
  return {options.bootstrap_samples, options.seed};
}

void run_evaluate(StageContext& context) {
  const metrics::ScoredSamples tuned = read_file(context, "infer/scores.jsonl");
  context.report.add("prompts", static_cast<std::int64_t>(tuned.size()));
  io::JsonObjectWriter object;
  object.add_json("tuned", metrics_json(context, tuned));
  const std::string zero_shot = "infer/zero_shot_scores.jsonl";
  if (context.options.infer.zero_shot && io::file_exists(context.run_dir + "/" + zero_shot)) {
    add_zero_shot(context, tuned, zero_shot, object);
  }
  if (context.communicator.rank() == 0) {
    io::write_file_atomically(context.run_dir + "/evaluate/metrics.json", object.text() + "\n");
  }
}

}  // namespace rallrec::pipeline
