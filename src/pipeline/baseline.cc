#include "pipeline/baseline.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <numeric>
#include <utility>

#include "config/field.h"
#include "core/error.h"
#include "data/dataset_file.h"
#include "distributed/joint_error.h"
#include "distributed/place.h"
#include "io/atomic_file.h"
#include "io/earlier_results.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "logging/progress.h"
#include "metrics/auc.h"
#include "metrics/log_loss.h"
#include "models/ctr/ctr_model.h"
#include "train/ctr_trainer.h"

namespace rallrec::pipeline {
namespace {

// What a training came to.
struct Result {
  data::CtrFeatures features;
  train::CtrTraining training;
  double auc = 0.0;
  double log_loss = 0.0;
  double accuracy = 0.0;

  const train::CtrEpoch& best() const {
    return training.epochs[static_cast<std::size_t>(training.best_epoch) - 1];
  }
  double seconds_per_epoch() const {
    double seconds = 0.0;
    for (const train::CtrEpoch& epoch : training.epochs) seconds += epoch.seconds;
    return seconds / static_cast<double>(training.epochs.size());
  }
};

std::string names_of(const data::CtrFeatures& features) {
  std::string names;
  for (const data::FeatureField& field : features.fields) {
    names += (names.empty() ? "" : ", ") + field.name;
  }
  return names;
}

Result train_model(const std::string& model, const data::CtrData& data,
                   const config::Options& all_options, distributed::Communicator& communicator) {
  data::require_both_labels(data);
  const config::BaselineOptions& options = all_options.baseline;
  Result result;
  result.features = data::encode_features(data, {options.leave_out});
  spdlog::info("baseline {}: {} train, {} valid, {} test samples; {} values of {}", model,
               data.train.size(), data.valid.size(), data.test.size(), result.features.rows,
               names_of(result.features));
  const auto owner = distributed::make_place(
      {all_options.cluster.device, all_options.cluster.nccl_init}, communicator);
  logging::Progress progress("baseline " + model, "epochs", options.epochs);
  result.training = train::train_ctr(
      model, data, result.features, options, owner->place(),
      [&progress](const train::CtrEpoch& epoch) {
        progress.advance(1,
                         fmt::format("loss {:.4f}, valid AUC {:.4f}", epoch.loss, epoch.valid_auc));
      });
  const std::vector<double>& scores = result.training.test_scores;
  result.auc = metrics::AucRanking(scores, data.test.label).auc().value_or(0.5);
  result.log_loss = metrics::log_loss(scores, data.test.label);
  result.accuracy = metrics::accuracy(scores, data.test.label);
  return result;
}

double positive_rate(const data::CtrSamples& samples) {
  const auto positives =
      std::accumulate(samples.label.begin(), samples.label.end(), std::int64_t{0});
  return static_cast<double>(positives) / static_cast<double>(samples.size());
}

std::string metrics_json(const std::string& model, const data::CtrData& data,
                         const Result& result) {
  std::vector<std::string> fields;
  for (const data::FeatureField& field : result.features.fields) fields.push_back(field.name);
  io::JsonObjectWriter json;
  json.add("model", model);
  json.add("n", data.test.size()).add("positive_rate", positive_rate(data.test));
  json.add("auc", result.auc).add("log_loss", result.log_loss).add("accuracy", result.accuracy);
  json.add("epochs", result.training.epochs.size());
  json.add("best_epoch", result.training.best_epoch);
  json.add("valid_auc", result.best().valid_auc).add("loss", result.best().loss);
  json.add("seconds_per_epoch", result.seconds_per_epoch());
  json.add("fields", fields).add("feature_values", result.features.rows);
  json.add("parameters", result.training.parameters);
  return json.text() + "\n";
}

constexpr const char* kScores = "/scores.jsonl";
constexpr const char* kMetrics = "/metrics.json";

// User, item and time stand beside a score as in the prompts, so that the rows of both can be
// matched.
void write_results(const std::string& folder, const std::string& model, const data::CtrData& data,
                   const Result& result) {
  io::remove_earlier_results({folder + kMetrics, folder + kScores});
  io::JsonlWriter scores(folder + kScores);
  for (std::size_t s = 0; s < result.training.test_scores.size(); ++s) {
    io::JsonObjectWriter line;
    line.add("label", std::int64_t{data.test.label[s]});
    line.add("score", result.training.test_scores[s]);
    line.add("user", data.users.name(data.test.user[s]));
    line.add("item", data.items.name(data.test.item[s]));
    if (!data.test.timestamp.empty()) {
      line.add("timestamp", data.test.timestamp[s]);
    }
    scores.write(line);
  }
  scores.commit();
  io::write_file_atomically(folder + kMetrics, metrics_json(model, data, result));
}

// Every key of the section but the one that says which of the stages a run has.
std::vector<std::string> baseline_settings() {
  std::vector<std::string> keys;
  for (const config::Field& field : config::fields()) {
    if (field.section == "baseline" && field.key != "model") {
      keys.push_back(field.name());
    }
  }
  return keys;
}

void run_baseline(StageContext& context, const std::string& model) {
  const config::BaselineOptions& options = context.options.baseline;
  const std::string file = context.run_dir + "/ingest/interactions.h5";
  const data::CtrData data = data::ctr_data_of(data::load_dataset(file), file, options.history);
  const Result result = train_model(model, data, context.options, context.communicator);
  distributed::run_on_rank_0(context.communicator, [&] {
    write_results(context.run_dir + "/baseline/" + model, model, data, result);
  });
  context.report.add("samples", data.test.size());
  context.report.add("epochs", static_cast<std::int64_t>(result.training.epochs.size()));
  context.report.add("best epoch", result.training.best_epoch);
  context.report.add("seconds per epoch", result.seconds_per_epoch());
  context.report.add("valid AUC", result.best().valid_auc);
  context.report.add("AUC", result.auc);
  context.report.add("log loss", result.log_loss);
  context.report.add("accuracy", result.accuracy);
  spdlog::info("baseline {}: AUC {:.4f}, log loss {:.4f}, accuracy {:.4f} on {} test samples",
               model, result.auc, result.log_loss, result.accuracy, data.test.size());
}

Stage baseline(const std::string& model, void (*run)(StageContext&)) {
  const std::string folder = "baseline/" + model;
  Stage stage{folder,
              {"ingest/interactions.h5"},
              {folder + "/scores.jsonl", folder + "/metrics.json"},
              baseline_settings(),
              ModelUse::kNone,
              run};
  return stage;
}

}  // namespace

const std::vector<Stage>& baseline_table() {
  static const std::vector<Stage> table = {
      baseline("deep_fm", [](StageContext& context) { run_baseline(context, "deep_fm"); }),
      baseline("x_deep_fm", [](StageContext& context) { run_baseline(context, "x_deep_fm"); }),
      baseline("dcn", [](StageContext& context) { run_baseline(context, "dcn"); }),
      baseline("auto_int", [](StageContext& context) { run_baseline(context, "auto_int"); })};
  return table;
}

void baseline_on_files(const std::string& model, const data::CtrFiles& files,
                       const std::string& output, const config::Options& options,
                       distributed::Communicator& communicator) {
  if (options.baseline.history > 0) {
    throw_usage("baseline.history: histories are known in a run folder alone; set it to 0");
  }
  const bool writes = communicator.rank() == 0;
  const auto folder = writes ? std::make_unique<io::NewFolder>(output) : nullptr;
  const data::ReadOptions reading{options.data.max_bad_rows, writes ? output : ""};
  const data::CtrData data = data::read_ctr_files(files, reading);
  if (writes) {
    io::remove_earlier_results({output + kMetrics, output + kScores});
  }
  const Result result = train_model(model, data, options, communicator);
  if (writes) {
    write_results(output, model, data, result);
    spdlog::info("baseline {}: AUC {:.4f}, log loss {:.4f}, accuracy {:.4f}; results are in {}",
                 model, result.auc, result.log_loss, result.accuracy, output);
  }
  communicator.barrier();
}

}  // namespace rallrec::pipeline
