#include "pipeline/evaluate.h"

#include "io/atomic_file.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "metrics/evaluation_json.h"
#include "metrics/score_file.h"

namespace rallrec::pipeline {
namespace {

struct ScoreFile {
  metrics::Evaluation all;
  std::string json;
};

ScoreFile evaluate_file(StageContext& context, const std::string& name) {
  const metrics::BootstrapOptions options = bootstrap_options(context.options.evaluate);
  const metrics::ScoredSamples samples =
      metrics::read_scored_samples(context.communicator, context.run_dir + "/" + name);
  ScoreFile result{metrics::evaluate_samples(context.communicator, samples, options), {}};
  const metrics::Evaluation published = metrics::evaluate_samples(
      context.communicator, samples.first(kPublishedTestPrompts), options);
  result.json = metrics::evaluation_json(result.all)
                    .add_json("first_10000", metrics::evaluation_json(published).text())
                    .text();
  return result;
}

}  // namespace

metrics::BootstrapOptions bootstrap_options(const config::EvaluateOptions& options) {
  return {options.bootstrap_samples, options.seed};
}

void run_evaluate(StageContext& context) {
  const ScoreFile tuned = evaluate_file(context, "infer/scores.jsonl");
  io::JsonObjectWriter object;
  object.add_json("tuned", tuned.json);
  const std::string zero_shot = "infer/zero_shot_scores.jsonl";
  if (context.options.infer.zero_shot && io::file_exists(context.run_dir + "/" + zero_shot)) {
    object.add_json("zero_shot", evaluate_file(context, zero_shot).json);
  }
  if (context.communicator.rank() == 0) {
    io::write_file_atomically(context.run_dir + "/evaluate/metrics.json", object.text() + "\n");
  }
}

}  // namespace rallrec::pipeline
