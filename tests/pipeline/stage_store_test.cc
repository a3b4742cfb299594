#include "pipeline/stage_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "distributed/local_communicator.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "logging/log.h"
#include "pipeline/run_pipeline.h"
#include "pipeline/run_summary.h"
#include "pipeline/stage_state.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::TemporaryFolder;

int first_runs = 0;
int second_runs = 0;

void run_first(StageContext& context) {
  ++first_runs;
  context.report.add("rows", std::int64_t{7});
  io::write_file_atomically(context.run_dir + "/first/out.txt", "the same for all");
}

void run_second(StageContext& context) {
  ++second_runs;
  io::make_directories(context.run_dir + "/second/parts");
  io::write_file_atomically(context.run_dir + "/second/parts/a.txt",
                            io::read_file(context.run_dir + "/first/out.txt") + " seed " +
                                std::to_string(context.options.tune.seed));
}

class Store : public ::testing::Test {
 protected:
  void SetUp() override { first_runs = second_runs = 0; }
  void TearDown() override { logging::configure_logging({}); }

  std::vector<StageOutcome> go(const std::string& run, std::int64_t seed, bool force = false) {
    config::Options options;
    options.tune.seed = seed;
    distributed::LocalCommunicator communicator;
    RunRequest request;
    request.run_dir = folder_.file(run);
    request.force = force;
    request.store = &store_;
    return run_pipeline(request, options, communicator, table_);
  }
  void expect_runs(int first, int second) const {
    EXPECT_EQ(first_runs, first);
    EXPECT_EQ(second_runs, second);
  }
  std::string stored_file() const {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_.file("store/first"))) {
      if (entry.path().filename() == "out.txt") {
        return entry.path().string();
      }
    }
    return "";
  }

  TemporaryFolder folder_;
  StageStore store_{folder_.file("store")};
  std::vector<Stage> table_ = {
      {"first", {}, {"first/out.txt"}, {"embed"}, ModelUse::kNone, &run_first},
      {"second", {"first/out.txt"}, {"second/parts"}, {"tune.seed"}, ModelUse::kNone, &run_second}};
};

TEST_F(Store, AStageThatRunsHaveInCommonIsMadeOnce) {
  const auto made = go("a", 1);
  const auto taken = go("b", 2);
  expect_runs(1, 2);
  EXPECT_FALSE(made[0].shared);
  EXPECT_TRUE(taken[0].kept);
  EXPECT_TRUE(taken[0].shared);
  EXPECT_EQ(taken[0].seconds, made[0].seconds);
  EXPECT_EQ(taken[0].figures, made[0].figures);
  EXPECT_FALSE(taken[1].shared);
  EXPECT_EQ(folder_.get("b/first/out.txt"), "the same for all");
  EXPECT_EQ(folder_.get("b/second/parts/a.txt"), "the same for all seed 2");
  struct stat info {};
  ASSERT_EQ(stat(folder_.file("b/first/out.txt").c_str(), &info), 0);
  EXPECT_EQ(info.st_nlink, 3U) << "a, b and the store share one file";
  EXPECT_NE(stage_lines(taken).find("shared"), std::string::npos);
  EXPECT_NE(stage_lines(taken).find("done"), std::string::npos);
}

TEST_F(Store, ASecondStartKeepsAndStillKnowsWhoMadeIt) {
  go("a", 1);
  go("b", 2);
  const auto maker = go("a", 1);
  const auto user = go("b", 2);
  expect_runs(1, 2);
  EXPECT_TRUE(maker[0].kept);
  EXPECT_FALSE(maker[0].shared);
  EXPECT_TRUE(user[0].shared);
  EXPECT_FALSE(user[1].shared);
}

TEST_F(Store, ALaterRunGoesBackToAnEarlierResult) {
  go("a", 1);
  go("a", 2);
  folder_.put("a/second/left", "");
  go("a", 1);
  expect_runs(1, 2);
  EXPECT_EQ(folder_.get("a/second/parts/a.txt"), "the same for all seed 1");
  EXPECT_FALSE(io::file_exists(folder_.file("a/second/started.key")));
}

TEST_F(Store, WhatWasChangedThereIsMadeAgain) {
  go("a", 1);
  std::filesystem::remove(folder_.file("a/first/out.txt"));  // so that the store's is its own file
  const std::string file = stored_file();
  ASSERT_FALSE(file.empty());
  std::ofstream(file) << "damaged";
  go("b", 1);
  EXPECT_EQ(first_runs, 2);
  EXPECT_EQ(folder_.get("b/first/out.txt"), "the same for all");
  EXPECT_EQ(io::read_file(stored_file()), "the same for all");
}

TEST_F(Store, ForceTakesNothingFromIt) {
  go("a", 1);
  go("b", 1, true);
  expect_runs(2, 2);
}

TEST_F(Store, LeftoversOfAKillDoNotCount) {
  go("a", 1);
  const std::string entry = io::folder_of(io::folder_of(stored_file()));
  std::filesystem::rename(entry, entry + ".tmp");
  const auto made = go("b", 1);
  EXPECT_EQ(first_runs, 2);
  EXPECT_FALSE(made[0].shared);
  EXPECT_TRUE(io::file_exists(entry));
  EXPECT_FALSE(io::file_exists(entry + ".tmp"));
}

}  // namespace
}  // namespace rallrec::pipeline
