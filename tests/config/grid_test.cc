#include "config/grid.h"

#include <gtest/gtest.h>

#include "config/published.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::config {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

constexpr const char* kDataset = "[[dataset]]\nname = 'ml'\n";
constexpr const char* kSystem = "[[system]]\nname = 'rallrec'\n";

class GridFile : public ::testing::Test {
 protected:
  Grid read(const std::string& text) { return read_grid(folder_.put("grid.toml", text)); }
  void expect_usage(const std::string& text, const std::string& message) {
    expect_error(ExitCode::kUsage, message, [&] { read(text); });
  }

  TemporaryFolder folder_;
};

TEST_F(GridFile, FillsWhatIsLeftOut) {
  const Grid grid = read(std::string(kDataset) + kSystem);
  EXPECT_EQ(grid.seeds, std::vector<std::int64_t>{42});
  EXPECT_EQ(grid.seed_keys, (std::vector<std::string>{"tune.seed", "baseline.seed"}));
  ASSERT_EQ(grid.datasets.size(), 1U);
  EXPECT_EQ(grid.datasets[0].configs, ".");
  ASSERT_EQ(grid.systems.size(), 1U);
  EXPECT_EQ(grid.systems[0].config, "rallrec.toml");
  EXPECT_EQ(grid.systems[0].label, "rallrec");
  EXPECT_TRUE(grid.systems[0].sweep.empty());
}

TEST_F(GridFile, ReadsSettingsAndSweepsWithTheirPlaces) {
  const Grid grid = read(
      "title = 'T'\nseeds = [1, 2]\nset = { 'tune.epochs' = 3, prompt = { k = 4 } }\n"
      "[[dataset]]\nname = 'ml'\nset = { 'tune.learning_rate' = 1 }\n" +
      std::string(kSystem) +
      "set = { 'prompt.train_views' = ['high'], 'infer.zero_shot' = false }\n"
      "sweep = { 'prompt.k' = [5, 10], 'prompt.test_view' = ['high'] }\n");
  ASSERT_EQ(grid.set.size(), 2U);
  const FlagSetting& k = grid.set[0].name == "prompt.k" ? grid.set[0] : grid.set[1];
  EXPECT_EQ(k.name, "prompt.k");
  EXPECT_EQ(k.value, "4");
  EXPECT_EQ(k.flag.rfind(folder_.file("grid.toml") + ":3:", 0), 0U) << k.flag;
  EXPECT_EQ(grid.datasets[0].set[0].value, "1.0");  // in the type of the key
  EXPECT_EQ(grid.systems[0].set.size(), 2U);
  ASSERT_EQ(grid.systems[0].sweep.size(), 2U);
  EXPECT_EQ(grid.systems[0].sweep[0].key, "prompt.k");
  EXPECT_EQ(grid.systems[0].sweep[0].values[1].value, "10");
  EXPECT_EQ(grid.systems[0].sweep[1].values[0].value, "\"high\"");
}

TEST_F(GridFile, NamesWhatItDoesNotKnowWithTheNearest) {
  const std::string rest = std::string(kDataset) + kSystem;
  expect_usage("tite = 'x'\n" + rest, "grid.toml:1:1: unknown key 'tite'; did you mean 'title'?");
  expect_usage(rest + "sett = {}\n", "unknown key 'system.sett'; did you mean 'set'?");
  expect_usage(rest + "set = { 'tune.epoch' = 3 }\n",
               "unknown key 'tune.epoch'; did you mean 'tune.epochs'?");
  expect_usage(rest + "adapter_of = 'ralrec'\n",
               "no system is called 'ralrec'; did you mean 'rallrec'?; known are rallrec");
  expect_usage(rest + "datasets = ['mll']\n", "no data set is called 'mll'; did you mean 'ml'?");
  expect_usage("reference = 'x'\n" + rest, "no system is called 'x'; known are rallrec");
}

TEST_F(GridFile, RefusesWrongTypesAndMissingParts) {
  const std::string rest = std::string(kDataset) + kSystem;
  expect_usage(kDataset, "there is no [[system]] in it");
  expect_usage(kSystem, "there is no [[dataset]] in it");
  expect_usage("seeds = []\n" + rest, "'seeds' must be a list of integers");
  expect_usage("seed_keys = ['prompt.test_view']\n" + rest, "keys that take an integer");
  expect_usage(rest + "set = { 'tune.epochs' = 'many' }\n", "'tune.epochs' must be an integer");
  expect_usage(rest + "sweep = { 'prompt.k' = 5 }\n", "must be a list of its values");
  expect_usage(rest + kSystem, "two systems are called 'rallrec'");
  expect_usage(std::string(kDataset) + "[[system]]\nlabel = 'x'\n", "'name' is missing");
  expect_usage(std::string(kDataset) + "[[system]]\nname = '../x'\n", "made of letters");
  expect_usage(std::string(kDataset) + "[[system]]\nname = 'a'\nsweep = { 'prompt.k' = [1, 2] }\n" +
                   "[[system]]\nname = 'b'\nadapter_of = 'a'\n",
               "which has a sweep and so several adapters");
  expect_error(ExitCode::kMissingInput, "none.toml", [&] { read_grid(folder_.file("none.toml")); });
}

TEST_F(GridFile, EveryCellIsAnother) {
  const std::string start = std::string(kDataset) + kSystem;
  expect_usage("seeds = [1, 2, 1]\n" + start, "1 is there twice");
  expect_usage(start + "sweep = { 'prompt.k' = [3, 5, 3] }\n", "'prompt.k' has 3 twice");
  expect_usage(start + "sweep = { 'tune.seed' = [3, 4] }\n", "which takes the cell's seed");
  const Grid grid = read("seed_keys = ['baseline.seed']\n" + start +
                         "sweep = { 'tune.seed' = [3, 4] }\nhelper = true\n");
  EXPECT_TRUE(grid.systems[0].helper);
  expect_usage(start + "helper = 1\n", "'system.helper' must be true or false");
}

TEST_F(GridFile, ASystemMayHaveAReferenceOfItsOwn) {
  const std::string two = std::string(kDataset) + kSystem + "[[system]]\nname = 'dcn'\n";
  const Grid grid = read("reference = 'rallrec'\n" + two + "reference = 'dcn'\n");
  EXPECT_EQ(reference_of(grid, grid.systems[0]), "rallrec");
  EXPECT_EQ(reference_of(grid, grid.systems[1]), "dcn");
  expect_usage(two + "reference = 'dnc'\n", "no system is called 'dnc'; did you mean 'dcn'?");
}

TEST_F(GridFile, PublishedNumbersAreFoundByTableDataSetAndRow) {
  const Published published =
      read_published(folder_.put("published.toml",
                                 "source = 'S'\nmodel = 'M'\nplain_log_loss = ['dcn']\n"
                                 "[table1.ml]\nrallrec = [0.7, 0.6, 0.5]\ndcn = [0.1, 1, 0.3]\n"));
  EXPECT_EQ(published.source, "S");
  const auto row = published.row("table1", "ml", "rallrec");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->auc, 0.7);
  EXPECT_EQ(row->log_loss, 0.6);
  EXPECT_EQ(row->accuracy, 0.5);
  EXPECT_TRUE(row->squashed);
  EXPECT_FALSE(published.row("table1", "ml", "dcn")->squashed);
  EXPECT_FALSE(published.row("table2", "ml", "rallrec"));
  EXPECT_FALSE(published.row("table1", "bx", "rallrec"));
  EXPECT_FALSE(published.row("table1", "ml", "rella"));
  expect_error(ExitCode::kUsage, "must be three numbers", [&] {
    read_published(folder_.put("bad.toml", "source = 'S'\nmodel = 'M'\n[t.ml]\nx = [1, 2]\n"));
  });
}

TEST_F(GridFile, APublishedNameThatIsNotThereIsRefused) {
  folder_.put("p.toml", "source = 's'\nmodel = 'm'\n[table1.ml-1m]\nrallrec = [0.7, 0.6, 0.6]\n");
  const auto published = [&](const std::string& file, const std::string& name) {
    const Grid grid = read("table = 'table1'\npublished = '" + file + "'\n" + kDataset +
                           "published = '" + name + "'\n" + kSystem);
    return published_for(grid, folder_.file("grid.toml"));
  };
  for (const std::string& file : {std::string("p.toml"), folder_.file("p.toml")}) {
    EXPECT_TRUE(published(file, "ml-1m").row("table1", "ml-1m", "rallrec"));
  }
  expect_error(ExitCode::kUsage, "has no section [table1.ml-9m]",
               [&] { published("p.toml", "ml-9m"); });
}

TEST_F(GridFile, ThePublishedTablesOfTheRepositoryAreComplete) {
  const Published published =
      read_published(RALLREC_SOURCE_DIR "/configs/experiments/published.toml");
  for (const char* dataset : {"book-crossing", "ml-1m", "amazon-movies-tv"}) {
    EXPECT_EQ(published.tables.at("table1").at(dataset).size(), 9U);
    EXPECT_EQ(published.tables.at("table3").at(dataset).size(), 4U);
    EXPECT_EQ(published.tables.at("table4").at(dataset).size(), 4U);
    EXPECT_EQ(published.row("table1", dataset, "rallrec")->auc,
              published.row("table3", dataset, "rallrec")->auc);
  }
}

}  // namespace
}  // namespace rallrec::config
