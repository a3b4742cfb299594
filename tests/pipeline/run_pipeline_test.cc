#include "pipeline/run_pipeline.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "distributed/local_communicator.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "logging/log.h"
#include "pipeline/stage_state.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

// How often each stage ran, and the resume mode it was last given.
std::map<std::string, int> runs;
std::map<std::string, std::string> resumes;
bool second_fails = false;

void run_first(StageContext& context) {
  ++runs["first"];
  context.report.add("rows", std::int64_t{7});
  io::write_file_atomically(context.run_dir + "/first/out.txt",
                            "seed " + std::to_string(context.options.tune.seed));
}

void run_second(StageContext& context) {
  ++runs["second"];
  resumes["second"] = context.resume;
  if (second_fails) {
    throw_usage("stopped on purpose");
  }
  const std::string input = io::read_file(context.run_dir + "/first/out.txt");
  io::make_directories(context.run_dir + "/second/parts");
  io::write_file_atomically(context.run_dir + "/second/parts/a.txt", input + "!");
}

std::vector<std::string> external(const config::Options& options) { return {options.data.path}; }

class RunPipeline : public ::testing::Test {
 protected:
  void SetUp() override {
    runs.clear();
    resumes.clear();
    second_fails = false;
    options_.data.path = folder_.put("raw.csv", "1,2\n");
    Stage first{"first", {}, {"first/out.txt"}, {"tune.seed"}, ModelUse::kNone, &run_first};
    first.external_inputs = external;
    table_ = {
        first,
        {"second", {"first/out.txt"}, {"second/parts"}, {"infer"}, ModelUse::kNone, &run_second}};
  }
  void TearDown() override { logging::configure_logging({}); }

  std::vector<StageOutcome> go(const std::vector<std::string>& stages = {}, bool force = false) {
    distributed::LocalCommunicator communicator;
    RunRequest request{run_dir(), stages, force};
    return run_pipeline(request, options_, communicator, table_);
  }
  std::string run_dir() const { return folder_.file("runs/a"); }
  void expect_runs(int first, int second) {
    EXPECT_EQ(runs["first"], first);
    EXPECT_EQ(runs["second"], second);
  }

  TemporaryFolder folder_;
  config::Options options_;
  std::vector<Stage> table_;
};

TEST_F(RunPipeline, RunsAllThenKeepsAll) {
  const auto done = go();
  expect_runs(1, 1);
  ASSERT_EQ(done.size(), 2U);
  EXPECT_FALSE(done[0].kept);
  EXPECT_EQ(folder_.get("runs/a/second/parts/a.txt"), "seed 42!");
  const auto kept = go();
  expect_runs(1, 1);
  EXPECT_TRUE(kept[0].kept);
  EXPECT_TRUE(kept[1].kept);
  EXPECT_EQ(kept[0].seconds, done[0].seconds);
  EXPECT_EQ(kept[0].figures, (io::Figures{{"rows", std::int64_t{7}}}));
}

TEST_F(RunPipeline, WritesWhatDescribesTheRun) {
  go();
  EXPECT_NE(folder_.get("runs/a/config.resolved.toml").find("[tune]"), std::string::npos);
  EXPECT_NE(folder_.get("runs/a/environment.json").find("\"libtorch\": \"2.11"), std::string::npos);
  EXPECT_FALSE(io::file_exists(run_dir() + "/run.lock"));
  logging::configure_logging({});
  EXPECT_NE(folder_.get("runs/a/run.log").find("first: done"), std::string::npos);
}

TEST_F(RunPipeline, ForceRunsAgain) {
  go();
  go({}, true);
  expect_runs(2, 2);
  go({"second"}, true);
  expect_runs(2, 3);
}

TEST_F(RunPipeline, AChangedSettingRunsItsStageAndThoseThatReadADifferentResult) {
  go();
  options_.tune.epochs += 1;  // no stage of this table names it
  go();
  expect_runs(1, 1);
  options_.tune.seed = 7;
  go();
  expect_runs(2, 2);
  EXPECT_EQ(folder_.get("runs/a/second/parts/a.txt"), "seed 7!");
  options_.infer.token_budget += 1;
  go();
  expect_runs(2, 3);
}

TEST_F(RunPipeline, AnEqualResultLeavesLaterStagesUpToDate) {
  go();
  folder_.put("raw.csv", "3,4\n");  // first reads it and writes the same
  go();
  expect_runs(2, 1);
}

TEST_F(RunPipeline, AChangedOrLostOutputIsMadeAgain) {
  go();
  folder_.put("runs/a/second/parts/a.txt", "tampered");
  go();
  expect_runs(1, 2);
  std::filesystem::remove(run_dir() + "/second/parts/a.txt");
  go();
  expect_runs(1, 3);
  folder_.put("runs/a/second/parts/extra.txt", "not ours");
  go();
  expect_runs(1, 4);
}

TEST_F(RunPipeline, ADamagedOrForeignManifestMeansRunning) {
  go();
  folder_.put("runs/a/first/manifest.json", "{");
  go();
  expect_runs(2, 1);
  auto manifest = io::read_manifest(manifest_path(run_dir(), table_[1]));
  ASSERT_TRUE(manifest.has_value());
  manifest->code_version = "0.0.0+other";
  io::write_manifest(manifest_path(run_dir(), table_[1]), *manifest);
  go();
  expect_runs(2, 2);
}

TEST_F(RunPipeline, SelectedStagesRunInTheTablesOrder) {
  go({"first"});
  expect_runs(1, 0);
  go({"second", "first"});
  expect_runs(1, 1);
}

TEST_F(RunPipeline, AStageWithoutItsInputSaysWhoWritesIt) {
  expect_error(ExitCode::kMissingInput, "is read by stage second and written by stage first",
               [&] { go({"second"}); });
  expect_runs(0, 0);
  EXPECT_FALSE(io::file_exists(run_dir() + "/run.lock"));
}

TEST_F(RunPipeline, AnUnknownStageIsNamedWithTheNearest) {
  expect_error(ExitCode::kUsage, "no stage is called 'secnd'; did you mean 'second'?",
               [&] { go({"secnd"}); });
}

TEST_F(RunPipeline, AFailedStageHasNoManifestAndResumesOnlyWithTheSameKey) {
  second_fails = true;
  expect_error(ExitCode::kUsage, "stopped on purpose", [&] { go(); });
  EXPECT_FALSE(io::file_exists(manifest_path(run_dir(), table_[1])));
  EXPECT_EQ(resumes["second"], "never");  // nothing was begun before
  second_fails = false;
  go();
  EXPECT_EQ(resumes["second"], "auto");
  expect_runs(1, 2);
  options_.infer.token_budget += 1;
  go();
  EXPECT_EQ(resumes["second"], "never");
  go({"second"}, true);
  EXPECT_EQ(resumes["second"], "never");
}

// A kill after the choice to start anew must not turn it into going on from what is left.
TEST_F(RunPipeline, StartingAnewRemovesTheLeftoversBeforeAnythingElse) {
  table_[1].clear = [](const std::string& folder) {
    std::filesystem::remove(folder + "/half.done");
  };
  second_fails = true;
  expect_error(ExitCode::kUsage, "stopped on purpose", [&] { go(); });
  folder_.put("runs/a/second/half.done", "");
  expect_error(ExitCode::kUsage, "stopped on purpose", [&] { go(); });
  EXPECT_EQ(resumes["second"], "auto");
  EXPECT_TRUE(io::file_exists(run_dir() + "/second/half.done"));
  options_.infer.token_budget += 1;
  expect_error(ExitCode::kUsage, "stopped on purpose", [&] { go(); });
  EXPECT_EQ(resumes["second"], "never");
  EXPECT_FALSE(io::file_exists(run_dir() + "/second/half.done"));
  expect_error(ExitCode::kUsage, "stopped on purpose", [&] { go(); });
  EXPECT_EQ(resumes["second"], "auto");
}

TEST_F(RunPipeline, ACompleteStageWithADamagedOutputStartsAnew) {
  go();
  folder_.put("runs/a/second/parts/a.txt", "edited");
  go();
  expect_runs(1, 2);
  EXPECT_EQ(resumes["second"], "never");
  EXPECT_EQ(folder_.get("runs/a/second/parts/a.txt"), "seed 42!");
}

TEST_F(RunPipeline, AStageThatWritesNothingIsCaught) {
  table_[1].run = [](StageContext&) {};
  expect_error(ExitCode::kInternal, "stage second has ended without writing second/parts",
               [&] { go(); });
  EXPECT_FALSE(io::file_exists(manifest_path(run_dir(), table_[1])));
}

TEST_F(RunPipeline, OptionalFilesCountWhereTheyExist) {
  table_[1].optional_inputs = {"first/extra.txt"};
  go();
  expect_runs(1, 1);
  folder_.put("runs/a/first/extra.txt", "new");
  go();
  expect_runs(1, 2);
}

}  // namespace
}  // namespace rallrec::pipeline
