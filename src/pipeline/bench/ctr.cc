#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"
#include "data/datasets/registry.h"
#include "metrics/auc.h"
#include "models/ctr/ctr_model.h"
#include "pipeline/bench/line.h"
#include "train/ctr_epoch.h"

namespace rallrec::pipeline {
namespace {

using models::ctr::CtrBlock;
using models::ctr::CtrModel;

std::vector<float> normal_values(std::int64_t count, std::uint64_t stream, double deviation) {
  Rng rng(1, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  std::generate(values.begin(), values.end(),
                [&] { return static_cast<float>(deviation * rng.next_normal()); });
  return values;
}

// Logits of some made-up samples, weighted and added up, as a function of the parameters.
class Objective {
 public:
  Objective(CtrModel& model, std::int64_t fields, std::int64_t dim)
      : model_(model),
        x_(normal_values(kSamples * fields * dim, 1, 0.5)),
        weights_(normal_values(kSamples, 2, 1.0)),
        samples_(kSamples),
        logits_(kSamples) {
    std::iota(samples_.begin(), samples_.end(), std::int64_t{0});
  }

  double value(const std::vector<float>& parameters) {
    model_.forward(parameters.data(), block(), logits_.data());
    return std::inner_product(logits_.begin(), logits_.end(), weights_.begin(), 0.0);
  }
  std::vector<float> gradient(const std::vector<float>& parameters) {
    std::vector<float> gradient(parameters.size());
    std::vector<float> dx(x_.size());
    value(parameters);
    model_.backward(parameters.data(), block(), weights_.data(), gradient.data(), dx.data());
    return gradient;
  }

 private:
  static constexpr std::int64_t kSamples = 64;
  CtrBlock block() const { return {kSamples, x_.data(), samples_.data(), 1, true}; }

  CtrModel& model_;
  std::vector<float> x_;
  std::vector<float> weights_;
  std::vector<std::int64_t> samples_;
  std::vector<float> logits_;
};

// How far the rise along the gradient is from the gradient's squared norm, relative to it.
double slope_error(const std::string& name, std::int64_t fields,
                   const config::BaselineOptions& options) {
  const auto model = models::ctr::make_ctr_model(name, {fields, options.embedding_size}, options);
  std::vector<float> parameters(static_cast<std::size_t>(model->parameter_count()));
  model->initialise(static_cast<std::uint64_t>(options.seed), parameters.data());
  Objective objective(*model, fields, options.embedding_size);
  const std::vector<float> gradient = objective.gradient(parameters);
  const double squares =
      std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0);
  const double step = 1e-2 / std::sqrt(squares);
  const auto moved = [&](double by) {
    std::vector<float> there(parameters.size());
    std::transform(parameters.begin(), parameters.end(), gradient.begin(), there.begin(),
                   [by](float p, float g) { return static_cast<float>(p + by * g); });
    return objective.value(there);
  };
  return std::fabs((moved(step) - moved(-step)) / (2.0 * step) / squares - 1.0);
}

data::CtrData read_data(const BenchRun& run) {
  const config::DataOptions& options = run.options.data;
  data::Dataset dataset = data::build_dataset(
      data::read_dataset(options.dataset, options.path, {options.max_bad_rows, ""}), options);
  data::CtrData data =
      data::ctr_data_of(std::move(dataset), options.path, run.options.baseline.history);
  data::require_both_labels(data);
  return data;
}

void bench_model(const std::string& name, const data::CtrData& data,
                 const data::CtrFeatures& features, const BenchRun& run) {
  const config::BaselineOptions& options = run.options.baseline;
  const auto fields = static_cast<std::int64_t>(features.fields.size());
  const double error = slope_error(name, fields, options);
  require_agreement("ctr: gradient and difference quotient of " + name, error, 0.02);
  train::CtrStep step(name, features, options, run.communicator);
  std::int64_t epoch = 0;
  const std::vector<Seconds> seconds = time_arms(
      {[&] { train::train_ctr_epoch(step, data.train, options, ++epoch, run.communicator); }},
      run.request.repeats, run.communicator);
  const auto samples = static_cast<double>(data.train.size());
  const auto auc = metrics::AucRanking(step.score(data.valid), data.valid.label).auc();
  print_line({"ctr",
              name,
              seconds[0],
              0,
              samples,
              samples / seconds[0].median,
              error,
              0.0,
              {{"epochs", static_cast<double>(epoch)},
               {"valid_auc", auc.value_or(0.5)},
               {"fields", static_cast<double>(fields)},
               {"feature_values", static_cast<double>(features.rows)},
               {"parameters", static_cast<double>(step.parameter_count())},
               {"batch_size", static_cast<double>(options.batch_size)},
               {"block_size", static_cast<double>(options.block_size)},
               {"embedding_size", static_cast<double>(options.embedding_size)}}},
             run);
}

}  // namespace

void bench_ctr(const BenchRun& run) {
  const data::CtrData data = read_data(run);
  const data::CtrFeatures features = data::encode_features(data, {run.options.baseline.leave_out});
  for (const std::string& name : models::ctr::ctr_model_names()) {
    bench_model(name, data, features, run);
  }
}

}  // namespace rallrec::pipeline
