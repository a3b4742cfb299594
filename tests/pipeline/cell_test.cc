#include "pipeline/experiment/cell.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

class Unroll : public ::testing::Test {
 protected:
  Unroll() {
    std::filesystem::create_directories(folder_.file("ml"));
    folder_.put("ml/rallrec.toml", "[prompt]\nk = 7\n[tune]\nepochs = 2\n");
    folder_.put("ml/dcn.toml",
                "stages = ['ingest', 'baseline', 'evaluate']\n"
                "[baseline]\nmodel = 'dcn'\n");
  }

  std::vector<Cell> unrolled(const std::string& grid, const std::vector<std::string>& only = {}) {
    from_.grid_file = folder_.put("grid.toml", grid);
    from_.folder = "out";
    grid_ = config::read_grid(from_.grid_file);
    return unroll(grid_, from_, only);
  }

  TemporaryFolder folder_;
  CellSources from_;
  config::Grid grid_;
};

constexpr const char* kHead = "seeds = [1, 2]\n[[dataset]]\nname = 'ml'\nconfigs = 'ml'\n";
constexpr const char* kTwo = "[[system]]\nname = 'rallrec'\n[[system]]\nname = 'dcn'\n";

TEST_F(Unroll, GivesEverySystemEverySeed) {
  const auto cells = unrolled(std::string(kHead) + kTwo);
  ASSERT_EQ(cells.size(), 4U);
  EXPECT_EQ(name_of(cells[0]), "ml rallrec seed 1");
  EXPECT_EQ(name_of(cells[1]), "ml dcn seed 1");
  EXPECT_EQ(name_of(cells[3]), "ml dcn seed 2");
  EXPECT_EQ(cells[2].options.tune.seed, 2);
  EXPECT_EQ(cells[2].options.baseline.seed, 2);
  EXPECT_EQ(cells[2].options.prompt.k, 7);
  EXPECT_EQ(cells[2].options.output.run_dir, "out/cells/ml/rallrec/seed-2");
  EXPECT_EQ(cells[1].stages, (std::vector<std::string>{"ingest", "baseline", "evaluate"}));
}

TEST_F(Unroll, TheNarrowerSettingWinsAndTheCommandLineOverAll) {
  from_.sources.sets = {"tune.max_steps=9"};
  from_.sources.flags = {{"output.run_dir", "elsewhere", "--run-dir"},
                         {"model.quant", "w8a8", "--quant"}};
  const auto cells = unrolled(
      "set = { 'prompt.k' = 1, 'tune.epochs' = 1, 'tune.max_steps' = 1, 'infer.squashed' = false "
      "}\n"
      "[[dataset]]\nname = 'ml'\nconfigs = 'ml'\nset = { 'prompt.k' = 2, 'tune.epochs' = 5 }\n"
      "[[system]]\nname = 'rallrec'\nset = { 'prompt.k' = 3 }\n");
  ASSERT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells[0].options.prompt.k, 3);
  EXPECT_EQ(cells[0].options.tune.epochs, 5);
  EXPECT_EQ(cells[0].options.tune.max_steps, 9);
  EXPECT_FALSE(cells[0].options.infer.squashed);
  EXPECT_EQ(cells[0].options.model.quant, "w8a8");
  EXPECT_EQ(cells[0].options.output.run_dir, "out/cells/ml/rallrec/seed-42");
  EXPECT_NE(settings_json(cells[0].settings).find("\"prompt.k\": 3"), std::string::npos);
  EXPECT_EQ(settings_json(cells[0].settings).find("\"prompt.k\": 2"), std::string::npos);
}

TEST_F(Unroll, ASweptKeyIsNotOverridden) {
  from_.sources.sets = {"prompt.k=7"};
  expect_error(ExitCode::kUsage, "the swept 'prompt.k' is overridden by --set", [&] {
    unrolled(std::string(kHead) +
             "[[system]]\nname = 'rallrec'\nsweep = { 'prompt.k' = [5, 10] }\n");
  });
}

TEST_F(Unroll, ASweepMakesACellPerChoiceOfValues) {
  const auto cells =
      unrolled(std::string(kHead) +
               "[[system]]\nname = 'rallrec'\n"
               "sweep = { 'prompt.k' = [5, 10], 'prompt.rerank_alpha' = ['1/2', '2/3'] }\n");
  ASSERT_EQ(cells.size(), 8U);
  EXPECT_EQ(cells[1].options.prompt.k, 5);
  EXPECT_EQ(cells[1].options.prompt.rerank_alpha, "2/3");
  EXPECT_EQ(cells[2].options.prompt.k, 10);
  EXPECT_EQ(cells[1].folder, "cells/ml/rallrec/prompt.k-5/prompt.rerank_alpha-2_3/seed-1");
  EXPECT_EQ(settings_json(cells[1].sweep), "{\"prompt.k\": 5, \"prompt.rerank_alpha\": \"2/3\"}");
  std::set<std::string> folders;
  for (const Cell& cell : cells) {
    folders.insert(cell.folder);
  }
  EXPECT_EQ(folders.size(), 8U);
}

TEST_F(Unroll, AnAdapterOfAnotherSystemIsThatOfItsSeedAndComesAfterIt) {
  const auto cells = unrolled(std::string(kHead) +
                              "[[system]]\nname = 'by_k'\nconfig = 'rallrec.toml'\n"
                              "adapter_of = 'rallrec'\nsweep = { 'prompt.k' = [5] }\n" +
                              kTwo);
  ASSERT_EQ(cells.size(), 6U);
  EXPECT_EQ(cells[0].system->name, "rallrec");
  EXPECT_EQ(cells[2].system->name, "by_k");
  EXPECT_EQ(cells[2].options.infer.adapter, "out/cells/ml/rallrec/seed-1/tune/adapter");
  EXPECT_EQ(cells[5].options.infer.adapter, "out/cells/ml/rallrec/seed-2/tune/adapter");
  EXPECT_EQ(cells[0].options.infer.adapter, "");
  EXPECT_EQ(settings_json(cells[2].settings),
            "{\"prompt.k\": 5, \"tune.seed\": 1, \"baseline.seed\": 1, \"infer.adapter\": "
            "\"out/cells/ml/rallrec/seed-1/tune/adapter\"}");
  const auto& stages = cells[2].stages;
  EXPECT_EQ(std::count(stages.begin(), stages.end(), "tune"), 0);
  EXPECT_EQ(std::count(stages.begin(), stages.end(), "infer"), 1);
}

TEST_F(Unroll, AnAdapterNeedsASystemThatTrainsItAndOneThatScoresWithIt) {
  expect_error(ExitCode::kUsage, "adapter_of names 'dcn', whose stages have no tune", [&] {
    unrolled(std::string(kHead) + kTwo +
             "[[system]]\nname = 'by_k'\nconfig = 'rallrec.toml'\nadapter_of = 'dcn'\n");
  });
  expect_error(ExitCode::kUsage, "dcn.toml have no infer", [&] {
    unrolled(std::string(kHead) + "[[system]]\nname = 'rallrec'\n[[system]]\nname = 'dcn'\n" +
             "adapter_of = 'rallrec'\n");
  });
}

TEST_F(Unroll, OnlyTheNamedSystemsAndDataSets) {
  EXPECT_EQ(unrolled(std::string(kHead) + kTwo, {"dcn"}).size(), 2U);
  const auto cells = unrolled(std::string(kHead) + "[[dataset]]\nname = 'bx'\nconfigs = 'ml'\n" +
                              kTwo + "datasets = ['bx']\n");
  ASSERT_EQ(cells.size(), 6U);
  EXPECT_EQ(name_of(cells[3]), "bx dcn seed 1");
  expect_error(ExitCode::kUsage, "no system is called 'dnc'; did you mean 'dcn'?; the grid has",
               [&] { unrolled(std::string(kHead) + kTwo, {"dnc"}); });
}

TEST_F(Unroll, SaysWhichConfigsThereAre) {
  expect_error(ExitCode::kMissingInput,
               "did you mean 'rallrec.toml'?; there are dcn.toml, rallrec.toml",
               [&] { unrolled(std::string(kHead) + "[[system]]\nname = 'ralrec'\n"); });
}

TEST_F(Unroll, AValueOutOfRangeIsNamedWithItsPlaceInTheGrid) {
  expect_error(ExitCode::kUsage, "grid.toml:7:", [&] {
    unrolled(std::string(kHead) + "[[system]]\nname = 'rallrec'\nset = { 'prompt.k' = -1 }\n");
  });
}

TEST_F(Unroll, ARunWithoutEvaluateIsNoCell) {
  folder_.put("ml/short.toml", "stages = ['ingest']\n");
  expect_error(ExitCode::kUsage, "'stages' lacks evaluate",
               [&] { unrolled(std::string(kHead) + "[[system]]\nname = 'short'\n"); });
}

TEST(Grids, ThoseOfTheRepositoryNameConfigsAndKeysThatThereAre) {
  const std::string folder = RALLREC_SOURCE_DIR "/configs/experiments";
  std::size_t grids = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename() == "published.toml") {
      continue;
    }
    CellSources from;
    from.grid_file = entry.path().string();
    from.folder = "out";
    const config::Grid grid = config::read_grid(from.grid_file);
    EXPECT_GE(unroll(grid, from, {}).size(), 2U) << from.grid_file;
    ++grids;
  }
  EXPECT_EQ(grids, 16U);
}

}  // namespace
}  // namespace rallrec::pipeline
