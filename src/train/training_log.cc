#include "train/training_log.h"

#include <spdlog/spdlog.h>

#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/json_value.h"
#include "io/json_writer.h"

namespace rallrec::train {
namespace {

// The complete lines of a log; half a line at the end is left out.
std::vector<std::string_view> complete_lines(std::string_view content) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = content.find('\n', begin)) != std::string_view::npos;
       begin = end + 1) {
    lines.push_back(content.substr(begin, end - begin));
  }
  return lines;
}

// The step a line records; -1 where it records none.
std::int64_t step_of(std::string_view line) {
  try {
    const io::JsonValue value = io::parse_json("metrics.jsonl", line);
    const io::JsonValue* step = value.find("step");
    return step != nullptr && step->integer() != nullptr ? *step->integer() : -1;
  } catch (const Error&) {
    return -1;
  }
}

// Bytes of the leading lines that record steps 1 … keep_steps in order.
std::uint64_t bytes_to_keep(const std::string& path, std::int64_t keep_steps) {
  const std::string content = keep_steps > 0 && io::file_exists(path) ? io::read_file(path) : "";
  std::uint64_t kept = 0;
  std::int64_t step = 0;
  for (const std::string_view line : complete_lines(content)) {
    if (step == keep_steps || step_of(line) != step + 1) {
      break;
    }
    kept += line.size() + 1;
    ++step;
  }
  if (step < keep_steps) {
    spdlog::warn("{}: the lines of steps {} to {} are lost; training goes on after them", path,
                 step + 1, keep_steps);
  }
  return kept;
}

std::string history_entry(const io::JsonValue& line) {
  static const std::vector<std::pair<const char*, const char*>> kNames = {
      {"epoch", "epoch"},
      {"step", "step"},
      {"loss", "loss"},
      {"grad_norm", "grad_norm"},
      {"learning_rate", "learning_rate"},
      {"valid_loss", "eval_loss"},
      {"valid_label_word_loss", "eval_label_word_loss"}};
  io::JsonObjectWriter entry;
  for (const auto& [key, name] : kNames) {
    if (const io::JsonValue* value = line.find(key)) {
      entry.add(name, *value);
    }
  }
  return entry.text();
}

}  // namespace

std::string to_json_line(const StepRecord& record) {
  io::JsonObjectWriter line;
  line.add("step", record.step)
      .add("epoch", record.epoch)
      .add("loss", record.loss)
      .add("label_word_loss", record.label_word_loss)
      .add("grad_norm", record.grad_norm)
      .add("learning_rate", record.learning_rate)
      .add("tokens", record.tokens)
      .add("prompts", record.prompts);
  if (record.skipped) {
    line.add("skipped", true);
  }
  if (record.loss_z) {
    line.add("loss_z", *record.loss_z);
  }
  if (record.grad_norm_z) {
    line.add("grad_norm_z", *record.grad_norm_z);
  }
  if (record.valid) {
    line.add("valid_loss", record.valid->loss)
        .add("valid_label_word_loss", record.valid->label_word_loss)
        .add("valid_prompts", record.valid->prompts);
  }
  return line.add("seconds", record.seconds).text();
}

TrainingLog::TrainingLog(const std::string& path, std::int64_t keep_steps)
    : file_(path, bytes_to_keep(path, keep_steps)) {
  file_.sync();
  io::sync_folder(io::folder_of(path));
}

void TrainingLog::append(const StepRecord& record) { file_.append(to_json_line(record) + "\n"); }

void write_trainer_state(const std::string& folder, std::int64_t max_steps,
                         std::optional<double> best_metric) {
  const std::string path = folder + "/metrics.jsonl";
  const std::string content = io::read_file(path);
  std::string history;
  io::JsonObjectWriter state;
  state.add_json("best_metric", best_metric ? io::to_json(*best_metric) : "null");
  state.add("max_steps", max_steps);
  io::JsonValue last;
  for (const std::string_view line : complete_lines(content)) {
    last = io::parse_json(path, line);
    history += (history.empty() ? "\n" : ",\n") + history_entry(last);
  }
  for (const char* key : {"epoch", "step"}) {
    const io::JsonValue* value = last.find(key);
    state.add_json(key == std::string_view("step") ? "global_step" : key,
                   value != nullptr ? io::to_json(*value) : "0");
  }
  state.add_json("log_history", "[" + history + "]");
  io::write_file_atomically(folder + "/trainer_state.json", state.text() + "\n");
}

}  // namespace rallrec::train
