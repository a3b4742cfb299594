#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "core/device_array.h"
#include "core/error.h"
#include "core/rng.h"
#include "data/datasets/registry.h"
#include "distributed/place.h"
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

constexpr std::int64_t kSamples = 64;

DeviceArray<float> on_queue(const Queue& queue, const std::vector<float>& values) {
  return {queue, "the bench", values};
}

// Logits of some made-up samples, weighted and added up, as a function of the parameters.
class Objective {
 public:
  Objective(CtrModel& model, std::int64_t fields, std::int64_t dim, const Queue& queue)
      : model_(model),
        queue_(queue),
        x_(on_queue(queue, normal_values(kSamples * fields * dim, 1, 0.5))),
        host_weights_(normal_values(kSamples, 2, 1.0)),
        weights_(on_queue(queue, host_weights_)),
        samples_(queue, "the bench"),
        logits_(on_queue(queue, host_weights_)) {
    std::vector<std::int64_t> samples(kSamples);
    std::iota(samples.begin(), samples.end(), std::int64_t{0});
    samples_.assign(samples);
  }

  double value(const std::vector<float>& parameters) { return value(on_queue(queue_, parameters)); }
  std::vector<float> gradient(const std::vector<float>& host_parameters) {
    const DeviceArray<float> parameters = on_queue(queue_, host_parameters);
    DeviceArray<float> gradient = on_queue(queue_, host_parameters);
    DeviceArray<float> dx(queue_, "the bench");
    dx.resize(x_.size());
    value(parameters);
    model_.backward(parameters.data(), block(), weights_.data(), gradient.data(), dx.data());
    return gradient.host();
  }

 private:
  double value(const DeviceArray<float>& parameters) {
    model_.forward(parameters.data(), block(), logits_.data());
    const std::vector<float> logits = logits_.host();
    return std::inner_product(logits.begin(), logits.end(), host_weights_.begin(), 0.0);
  }
  CtrBlock block() const { return {kSamples, x_.data(), samples_.data(), 1, true}; }

  CtrModel& model_;
  Queue queue_;
  DeviceArray<float> x_;
  std::vector<float> host_weights_;
  DeviceArray<float> weights_;
  DeviceArray<std::int64_t> samples_;
  DeviceArray<float> logits_;
};

// How far the rise along the gradient is from the gradient's squared norm, relative to it.
double slope_error(const std::string& name, std::int64_t fields,
                   const config::BaselineOptions& options, const Queue& queue) {
  const auto model =
      models::ctr::make_ctr_model(name, {fields, options.embedding_size}, options, queue);
  std::vector<float> parameters(static_cast<std::size_t>(model->parameter_count()));
  model->initialise(static_cast<std::uint64_t>(options.seed), parameters.data());
  Objective objective(*model, fields, options.embedding_size, queue);
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
  const auto owner = distributed::make_place(
      {run.options.cluster.device, run.options.cluster.nccl_init}, run.communicator);
  const distributed::Place place = owner->place();
  const double error = slope_error(name, fields, options, place.queue);
  require_agreement("ctr: gradient and difference quotient of " + name, error, 0.02);
  train::CtrStep step(name, features, options, place);
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
