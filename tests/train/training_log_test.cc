#include "train/training_log.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/support/temporary_folder.h"

namespace rallrec::train {
namespace {

using rallrec::testing::TemporaryFolder;

StepRecord record_of(std::int64_t step) {
  StepRecord record;
  record.step = step;
  record.epoch = 0.25 * static_cast<double>(step);
  record.loss = 1.0 / 3.0;
  record.label_word_loss = 0.5;
  record.grad_norm = 2.0;
  record.learning_rate = 0.25;
  record.tokens = 100;
  record.prompts = 4;
  record.seconds = 1.5;
  return record;
}

TEST(TrainingLog, OneLinePerStep) {
  EXPECT_EQ(to_json_line(record_of(2)),
            "{\"step\": 2, \"epoch\": 0.5, \"loss\": 0.3333333333333333, \"label_word_loss\": 0.5, "
            "\"grad_norm\": 2, \"learning_rate\": 0.25, \"tokens\": 100, \"prompts\": 4, "
            "\"seconds\": 1.5}");
}

TEST(TrainingLog, WhatIsNotFiniteIsNull) {
  StepRecord record = record_of(1);
  record.loss = std::numeric_limits<double>::quiet_NaN();
  record.grad_norm = std::numeric_limits<double>::infinity();
  record.skipped = true;
  const std::string line = to_json_line(record);
  EXPECT_NE(line.find("\"loss\": null"), std::string::npos);
  EXPECT_NE(line.find("\"grad_norm\": null"), std::string::npos);
  EXPECT_NE(line.find("\"skipped\": true"), std::string::npos);
}

TEST(TrainingLog, CutsWhatFollowsTheLastKeptStep) {
  const TemporaryFolder folder;
  std::string lines[4];
  for (int i = 0; i < 4; ++i) {
    lines[i] = to_json_line(record_of(i + 1)) + "\n";
  }
  const std::string all = lines[0] + lines[1] + lines[2] + "{\"step\": 4, \"ep";
  for (std::int64_t keep = 0; keep <= 4; ++keep) {
    folder.put("metrics.jsonl", all);
    TrainingLog log(folder.file("metrics.jsonl"), keep);
    std::string expected;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(keep, 3); ++i) {
      expected += lines[i];
    }
    EXPECT_EQ(folder.get("metrics.jsonl"), expected) << keep;
    log.append(record_of(4));
    EXPECT_EQ(folder.get("metrics.jsonl"), expected + lines[3]);
  }
}

TEST(TrainingLog, TrainerStateListsEverySteps) {
  const TemporaryFolder folder;
  StepRecord last = record_of(2);
  last.valid = EvaluationResult{0.7, 0.6, 10};
  last.loss = std::numeric_limits<double>::quiet_NaN();
  folder.put("metrics.jsonl", to_json_line(record_of(1)) + "\n" + to_json_line(last) + "\n");
  write_trainer_state(folder.path(), 9, 0.6);
  EXPECT_EQ(folder.get("trainer_state.json"),
            "{\"best_metric\": 0.6, \"max_steps\": 9, \"epoch\": 0.5, \"global_step\": 2, "
            "\"log_history\": [\n"
            "{\"epoch\": 0.25, \"step\": 1, \"loss\": 0.3333333333333333, \"grad_norm\": 2, "
            "\"learning_rate\": 0.25},\n"
            "{\"epoch\": 0.5, \"step\": 2, \"loss\": null, \"grad_norm\": 2, "
            "\"learning_rate\": 0.25, \"eval_loss\": 0.7, \"eval_label_word_loss\": 0.6}]}\n");
}

}  // namespace
}  // namespace rallrec::train
