#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/append_file.h"
#include "train/training_step.h"

namespace rallrec::train {

// One optimizer step as metrics.jsonl records it.
struct StepRecord {
  std::int64_t step = 0;  // counted from 1
  double epoch = 0.0;     // epochs completed, as a fraction
  double loss = 0.0;
  double label_word_loss = 0.0;
  double grad_norm = 0.0;
  double learning_rate = 0.0;
  std::int64_t tokens = 0;
  std::int64_t prompts = 0;
  bool skipped = false;  // a loss or gradient was not finite; no update was made
  // z where the value is an outlier among the steps before it.
  std::optional<double> loss_z;
  std::optional<double> grad_norm_z;
  std::optional<EvaluationResult> valid;
  double seconds = 0.0;
};

// One JSON object, no line end. Everything but `seconds` is a function of config and data; values
// that are not finite become null.
std::string to_json_line(const StepRecord& record);

// metrics.jsonl of a run: one line per optimizer step, in order. Owned by rank 0.
class TrainingLog {
 public:
  // Opens the file, keeping its lines up to step `keep_steps` and cutting off what follows: steps
  // that a killed run logged after its last checkpoint, or half a line.
  TrainingLog(const std::string& path, std::int64_t keep_steps);

  void append(const StepRecord& record);
  // Makes all lines durable.
  void sync() { file_.sync(); }

 private:
  io::AppendFile file_;
};

// Writes trainer_state.json beside metrics.jsonl: global_step, max_steps, epoch, best_metric and
// log_history (epoch, step, loss, grad_norm, learning_rate of each step; eval_loss where
// evaluated), as Hugging Face tools read it.
void write_trainer_state(const std::string& folder, std::int64_t max_steps,
                         std::optional<double> best_metric);

}  // namespace rallrec::train
