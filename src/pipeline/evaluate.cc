#include "pipeline/evaluate.h"

#include <algorithm>

#include "core/error.h"
#include "distributed/joint_error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "metrics/evaluation_json.h"
#include "metrics/score_file.h"
#include "pipeline/external_inputs.h"
#include "pipeline/infer.h"

namespace rallrec::pipeline {
namespace {

metrics::ScoredSamples read_file(StageContext& context, const std::string& name) {
  return read_run_scores(context.run_dir + "/" + name, context.options, context.communicator);
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

metrics::ScoredSamples read_run_scores(const std::string& path, const config::Options& options,
                                       distributed::Communicator& communicator) {
  metrics::ScoredSamples samples = metrics::read_scored_samples(communicator, path);
  if (options.refcompat.eval_first_10000) {
    samples = samples.first(kPublishedTestPrompts);
  }
  // A baseline has a probability from the start.
  if (options.refcompat.squash_prob && scored_model(options) != "baseline") {
    if (samples.squashed.empty()) {
      throw_bad_data(path,
                     "has lines without score_squashed, which refcompat.squash_prob reports; "
                     "run infer with infer.squashed = true");
    }
    samples.scores = samples.squashed;
  }
  return samples;
}

std::string scores_of_run(const config::Options& options) {
  return scored_model(options) == "baseline"
             ? "baseline/" + options.baseline.model + "/scores.jsonl"
             : "infer/scores.jsonl";
}

std::string scored_model(const config::Options& options) {
  const auto has = [&options](const char* stage) {
    return std::count(options.stages.begin(), options.stages.end(), stage) > 0;
  };
  if (has("baseline") && !has("infer")) {
    return "baseline";
  }
  return options.infer.adapter == kNoAdapter ? "zero_shot" : "tuned";
}

void run_evaluate(StageContext& context) {
  const std::string model = scored_model(context.options);
  const metrics::ScoredSamples samples = read_file(context, scores_of_run(context.options));
  context.report.add("prompts", static_cast<std::int64_t>(samples.size()));
  io::JsonObjectWriter object;
  object.add_json(model, metrics_json(context, samples));
  const std::string zero_shot = "infer/zero_shot_scores.jsonl";
  if (model == "tuned" && has_zero_shot_scores(context.options) &&
      io::file_exists(context.run_dir + "/" + zero_shot)) {
    add_zero_shot(context, samples, zero_shot, object);
  }
  distributed::run_on_rank_0(context.communicator, [&] {
    io::write_file_atomically(context.run_dir + "/evaluate/metrics.json", object.text() + "\n");
  });
}

}  // namespace rallrec::pipeline
