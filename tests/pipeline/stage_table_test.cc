#include "pipeline/stage_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "config/field.h"
#include "config/write.h"
#include "core/error.h"

namespace rallrec::pipeline {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> both(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(StageTable, HasEveryStageInTheOrderOfARun) {
  std::vector<std::string> names;
  for (const Stage& stage : stage_table()) {
    names.push_back(stage.name);
    EXPECT_EQ(&find_stage(stage_table(), stage.name), &stage);
    EXPECT_NE(stage.run, nullptr) << stage.name;
  }
  EXPECT_THAT(names, ElementsAre("ingest", "describe", "embed", "light_gcn", "align", "retrieve",
                                 "prompt", "tune", "infer", "evaluate"));
}

// A stage that read what a later one writes would see the run before.
TEST(StageTable, WhatAStageReadsIsWrittenByAnEarlierOne) {
  std::set<std::string> written;
  for (const Stage& stage : stage_table()) {
    EXPECT_EQ(stage.inputs.empty(), stage.name == "ingest");
    for (const std::string& input : both(stage.inputs, stage.optional_inputs)) {
      EXPECT_EQ(written.count(input), 1U) << stage.name << " reads " << input;
    }
    for (const std::string& output : both(stage.outputs, stage.optional_outputs)) {
      EXPECT_TRUE(written.insert(output).second) << output << " is written twice";
    }
  }
}

TEST(StageTable, WhatAStageWritesIsInItsFolderAndOnlyOneStageIsNotRead) {
  std::set<std::string> read;
  for (const Stage& stage : stage_table()) {
    for (const std::string& input : both(stage.inputs, stage.optional_inputs)) {
      read.insert(input);
    }
  }
  for (const Stage& stage : stage_table()) {
    bool is_read = false;
    EXPECT_FALSE(stage.outputs.empty()) << stage.name;
    for (const std::string& output : both(stage.outputs, stage.optional_outputs)) {
      EXPECT_EQ(output.rfind(stage.name + "/", 0), 0U) << output;
      is_read = is_read || read.count(output) == 1;
    }
    EXPECT_EQ(is_read, stage.name != "evaluate") << stage.name;
  }
}

TEST(StageTable, SettingsOfAStageAreKeysOfTheConfig) {
  for (const Stage& stage : stage_table()) {
    EXPECT_FALSE(stage.sections.empty()) << stage.name;
    for (const std::string& section : stage.sections) {
      EXPECT_NE(config::section_text({}, section), "") << stage.name << ": " << section;
    }
  }
}

// A key that no stage names would change nothing where it is changed.
TEST(StageTable, EveryKeyOfAStageCountsButThoseThatChangeNoResult) {
  for (const Stage& stage : stage_table()) {
    const auto counts = [&stage](const std::string& name) {
      return std::count(stage.sections.begin(), stage.sections.end(), name) > 0;
    };
    for (const config::Field& field : config::fields()) {
      if (field.name().rfind(stage.name + ".", 0) == 0) {
        const bool no_result = field.name() == "tune.checkpoint_every" ||
                               field.name() == "tune.keep_checkpoints" ||
                               field.name() == "tune.memory_budget";
        EXPECT_EQ(counts(stage.name) || counts(field.name()), !no_result) << field.name();
      }
    }
  }
}

TEST(StageTable, OnCudaOnlyWhatCanRunThereOrHasNoWorkForItIsLetThrough) {
  config::Options options;
  options.cluster.device = "cuda";
  std::vector<std::string> passed;
  for (const Stage& stage : stage_table()) {
    try {
      require_device(find_stage(stage_table(), stage.name), options);
      passed.push_back(stage.name);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_EQ(std::string(error.what()).rfind(stage.name + ": ", 0), 0U) << error.what();
    }
    options.cluster.device = "cpu";
    EXPECT_NO_THROW(require_device(stage, options));
    options.cluster.device = "cuda";
  }
  EXPECT_THAT(passed, ElementsAre("ingest", "light_gcn", "align", "prompt", "evaluate"));
  EXPECT_THROW(require_device(find_stage(stage_table(), "baseline"), options), Error);
}

}  // namespace
}  // namespace rallrec::pipeline
