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

std::vector<std::string> names_of(const std::vector<Stage>& stages) {
  std::vector<std::string> names;
  for (const Stage& stage : stages) {
    names.push_back(stage.name);
  }
  return names;
}

// The stage as a run with these options has it.
Stage fitted(const std::string& name, const config::Options& options) {
  return select_stages(run_table(options), {name}, options).at(0);
}

TEST(StageTable, TheDefaultStagesAreThoseOfTheTable) {
  EXPECT_EQ(names_of(stage_table()), config::Options().stages);
  EXPECT_EQ(names_of(select_stages(run_table({}), config::Options().stages, {})),
            config::Options().stages);
}

TEST(StageTable, ARunOfABaselineEvaluatesItsScores) {
  config::Options options;
  options.stages = {"evaluate", "baseline", "ingest"};
  options.baseline.model = "dcn";
  const auto stages = select_stages(run_table(options), options.stages, options);
  EXPECT_THAT(names_of(stages), ElementsAre("ingest", "baseline/dcn", "evaluate"));
  EXPECT_THAT(stages[2].inputs, ElementsAre("baseline/dcn/scores.jsonl"));
  EXPECT_TRUE(stages[2].optional_inputs.empty());
  options.stages.emplace_back("infer");
  EXPECT_THAT(fitted("evaluate", options).inputs, ElementsAre("infer/scores.jsonl"));
}

TEST(StageTable, WhatALeftOutStageWritesIsNotRead) {
  config::Options options;
  options.stages = {"ingest", "embed"};
  EXPECT_THAT(fitted("embed", options).inputs, ElementsAre("ingest/interactions.h5"));
  options.retrieve.blocks = {"title"};
  EXPECT_THAT(fitted("retrieve", options).inputs,
              ElementsAre("ingest/interactions.h5", "embed/text_embeddings.h5"));
  options.retrieve.blocks = {"ssl", "colla"};
  EXPECT_THAT(fitted("retrieve", options).inputs,
              ElementsAre("ingest/interactions.h5", "light_gcn/graph_embeddings.h5",
                          "align/aligned_embeddings.h5"));
  EXPECT_THAT(fitted("prompt", options).inputs,
              ElementsAre("ingest/interactions.h5", "retrieve/neighbours.h5"));
  options.prompt.train_views = {"simple"};
  options.prompt.test_view = "simple";
  EXPECT_THAT(fitted("prompt", options).inputs, ElementsAre("ingest/interactions.h5"));
  EXPECT_TRUE(fitted("prompt", options).optional_inputs.empty());
}

TEST(StageTable, AnAdapterFromOutsideTakesThePlaceOfTheRunsOwn) {
  config::Options options;
  EXPECT_THAT(fitted("infer", options).inputs, ElementsAre("prompt/test.jsonl", "tune/adapter"));
  options.infer.adapter = "none";
  EXPECT_THAT(fitted("infer", options).inputs, ElementsAre("prompt/test.jsonl"));
  EXPECT_TRUE(fitted("evaluate", options).optional_inputs.empty());
}

// A key that no stage names would change nothing where it is changed.
TEST(StageTable, EveryKeyOfAStageCountsButThoseThatChangeNoResult) {
  for (const Stage& stage : stage_table()) {
    const auto counts = [&stage](const std::string& name) {
      return std::count(stage.sections.begin(), stage.sections.end(), name) > 0;
    };
    for (const config::Field& field : config::fields()) {
      if (field.name().rfind(stage.name + ".", 0) == 0) {
        // The file of descriptions is an input.
        static const std::set<std::string> kNoResult = {
            "tune.checkpoint_every", "tune.keep_checkpoints", "tune.memory_budget", "describe.file",
            "describe.cache"};
        const bool no_result = kNoResult.count(field.name()) == 1;
        EXPECT_EQ(counts(stage.name) || counts(field.name()), !no_result) << field.name();
      }
    }
  }
}

TEST(StageTable, EveryDeviationIsASettingOfAStage) {
  std::set<std::string> named;
  for (const Stage& stage : stage_table()) {
    named.insert(stage.sections.begin(), stage.sections.end());
  }
  for (const config::Field& field : config::fields()) {
    if (field.section == "refcompat") {
      EXPECT_EQ(named.count(field.name()), 1U) << field.name();
    }
  }
}

// The test split must not be there for tune to read.
TEST(StageTable, TuneReadsTheTestPromptsOnlyWhereItSelectsOnThem) {
  config::Options options;
  EXPECT_THAT(fitted("tune", options).inputs,
              ElementsAre("prompt/train.jsonl", "prompt/valid.jsonl"));
  options.tune.select_on = "test";
  EXPECT_THAT(fitted("tune", options).inputs,
              ElementsAre("prompt/train.jsonl", "prompt/test.jsonl"));
}

}  // namespace
}  // namespace rallrec::pipeline
