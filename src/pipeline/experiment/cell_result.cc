#include "pipeline/experiment/cell_result.h"

#include "core/error.h"
#include "io/files.h"
#include "io/json_value.h"
#include "io/json_writer.h"
#include "metrics/evaluation_json.h"
#include "pipeline/evaluate.h"

namespace rallrec::pipeline {
namespace {

std::string stages_json(const std::vector<StageOutcome>& stages) {
  io::JsonObjectWriter object;
  for (const StageOutcome& stage : stages) {
    io::JsonObjectWriter cost;
    cost.add("seconds", stage.seconds).add("shared", stage.shared);
    object.add_json(stage.stage, cost.text());
  }
  return object.text();
}

const char* status_of(const CellResult& result) {
  if (result.failure) {
    return "failed";
  }
  return result.done ? "done" : "pending";
}

}  // namespace

std::string metrics_of_run(const Cell& cell) {
  const std::string path = cell.options.output.run_dir + "/evaluate/metrics.json";
  const io::JsonValue object = io::parse_json(path, io::read_file(path));
  const std::string model = scored_model(cell.options);
  const io::JsonValue* metrics = object.find(model);
  if (metrics == nullptr) {
    throw_bad_data(path, "is not what stage evaluate writes: there is no '" + model + "'");
  }
  return io::to_json(*metrics);
}

double own_seconds(const CellResult& result) {
  double seconds = 0.0;
  for (const StageOutcome& stage : result.stages) {
    seconds += stage.shared ? 0.0 : stage.seconds;
  }
  return seconds;
}

std::optional<std::int64_t> train_prompts_of(const CellResult& result) {
  for (const StageOutcome& stage : result.stages) {
    for (const auto& [name, figure] : stage.figures) {
      if (stage.stage == "tune" && name == "prompts") {
        return std::get<std::int64_t>(figure);
      }
    }
  }
  return std::nullopt;
}

std::string model_of(const Cell& cell) {
  return scored_model(cell.options) == "baseline" ? cell.options.baseline.model
                                                  : io::name_of(cell.options.model.path);
}

std::string published_json(const std::optional<config::PublishedRow>& row) {
  if (!row) {
    return "null";
  }
  io::JsonObjectWriter object;
  object.add("auc", row->auc).add("log_loss", row->log_loss).add("accuracy", row->accuracy);
  return object.add("log_loss_is_squashed", row->squashed).text();
}

std::string result_line(const std::string& experiment, const Cell& cell, const CellResult& result,
                        const std::optional<config::PublishedRow>& published) {
  io::JsonObjectWriter line;
  line.add("experiment", experiment).add("dataset", cell.dataset->name);
  line.add("system", cell.system->name).add_json("sweep", settings_json(cell.sweep));
  line.add("seed", cell.seed).add_json("settings", settings_json(cell.settings));
  line.add("run_dir", cell.folder).add("status", status_of(result));
  line.add("error", result.failure ? result.failure->message : "");
  line.add("model", model_of(cell)).add("data", io::name_of(cell.options.data.path));
  line.add_json("metrics", result.metrics.empty() ? "null" : result.metrics);
  line.add_json("common", result.common ? metrics::evaluation_json(*result.common).text() : "null");
  line.add_json("published", published_json(published));
  line.add("seconds", own_seconds(result)).add_json("stages", stages_json(result.stages));
  const auto train_prompts = train_prompts_of(result);
  line.add_json("train_prompts", train_prompts ? io::to_json(*train_prompts) : "null");
  line.add("scores", cell.folder + "/" + scores_of_run(cell.options));
  return line.text();
}

}  // namespace rallrec::pipeline
