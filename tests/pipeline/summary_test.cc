// What an experiment says of its cells, from made-up scores.
#include "pipeline/experiment/summary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/rng.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "metrics/auc.h"
#include "pipeline/experiment/summary_json.h"
#include "pipeline/experiment/table.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::TemporaryFolder;

constexpr int kRows = 400;
constexpr int kPrompts = 150;  // of these, the LLM systems score as many

class Summary : public ::testing::Test {
 protected:
  Summary() {
    grid_.title = "A title";
    grid_.table = "table1";
    grid_.reference = "good";
    grid_.seeds = {1, 2, 3};
    grid_.datasets.resize(1);
    grid_.datasets[0].name = "ml";
    grid_.datasets[0].published = "ml";
    grid_.systems.resize(3);
    for (std::size_t s = 0; s < 3; ++s) {
      grid_.systems[s].name = std::vector<const char*>{"good", "bad", "dcn"}[s];
      grid_.systems[s].label = grid_.systems[s].name;
    }
    published_.model = "Large-Model";
    published_.source = "A paper";
    published_.tables["table1"]["ml"]["good"] = {0.9, 0.3, 0.8, true};
    published_.tables["table1"]["ml"]["dcn"] = {0.7, 0.6, 0.6, false};
    for (std::size_t s = 0; s < 3; ++s) {
      for (const std::int64_t seed : grid_.seeds) {
        add_cell(s, seed);
      }
    }
  }

  // Positives score higher by `shift`; the shift of the LLM systems depends on the seed a little.
  void add_cell(std::size_t system, std::int64_t seed) {
    const bool baseline = system == 2;
    Cell cell;
    cell.dataset = &grid_.datasets[0];
    cell.system = &grid_.systems[system];
    cell.seed = seed;
    cell.folder = grid_.systems[system].name + std::to_string(seed);
    cell.options.output.run_dir = folder_.file(cell.folder);
    cell.options.model.path = "models/Small-Model";
    cell.options.data.path = "data/ratings";
    cell.options.evaluate.bootstrap_samples = 50;
    if (baseline) {
      cell.options.stages = {"ingest", "baseline", "evaluate"};
      cell.options.baseline.model = "dcn";
    }
    const double shift = (system == 0 ? 0.35 : 0.1) + 0.01 * static_cast<double>(seed);
    const std::string file = baseline ? "/baseline/dcn" : "/infer";
    std::filesystem::create_directories(cell.options.output.run_dir + file);
    folder_.put(cell.folder + file + "/scores.jsonl", scores(system, shift, baseline));
    CellResult result;
    result.done = true;
    result.metrics = baseline ? "{\"n\": 400, \"auc\": 0.61, \"log_loss\": 0.7, \"accuracy\": 0.5}"
                              : "{\"n\": 150, \"auc\": 0.5}";
    result.stages = {{"ingest", true, 2.0, 1, 1, {}, system + static_cast<std::size_t>(seed) > 1},
                     {"tune", false, 10.0, 1, 1, {{"prompts", std::int64_t{64}}}, false}};
    cells_.push_back(cell);
    results_.push_back(result);
  }

  static std::string scores(std::size_t system, double shift, bool all) {
    Rng rng(7, system);
    std::string lines;
    for (int row = 0; row < kRows; ++row) {
      const int label = row * 7 % 10 < 5 ? 1 : 0;
      const double score = 0.6 * rng.next_double() + shift * label;
      if (!all && row % 8 >= 3) {
        continue;
      }
      lines += "{\"user\":\"u" + std::to_string(row % 20) + "\",\"item\":\"i" +
               std::to_string(row) + "\",\"timestamp\":" + std::to_string(row) +
               ",\"label\":" + std::to_string(label) + ",\"score\":" + std::to_string(score);
      lines += all ? "}\n" : ",\"score_squashed\":" + std::to_string(0.25 + score / 2.0) + "}\n";
    }
    return lines;
  }

  DatasetSummary summarised() {
    distributed::LocalCommunicator local;
    std::vector<DatasetSummary> summaries = {
        summarise(grid_, grid_.datasets[0], published_, cells_, results_, local)};
    correct_for_number(summaries);
    return summaries[0];
  }

  const Comparison& comparison(const DatasetSummary& summary, std::size_t row,
                               std::size_t metric) const {
    for (const Comparison& found : summary.comparisons) {
      if (found.row == row && found.metric == metric) {
        return found;
      }
    }
    throw std::out_of_range("no such comparison");
  }

  TemporaryFolder folder_;
  config::Grid grid_;
  config::Published published_;
  std::vector<Cell> cells_;
  std::vector<CellResult> results_;
};

TEST_F(Summary, EverySystemIsEvaluatedOnTheRowsThatAllHave) {
  const DatasetSummary summary = summarised();
  EXPECT_EQ(summary.common_rows, kPrompts);
  EXPECT_EQ(summary.data, "ratings");
  ASSERT_EQ(summary.rows.size(), 3U);
  for (const SummaryRow& row : summary.rows) {
    EXPECT_EQ(row.n, kPrompts);
    EXPECT_EQ(row.seeds, grid_.seeds);
    EXPECT_EQ(row.metrics[kAuc].values.size(), 3U);
  }
  EXPECT_EQ(summary.rows[0].full_n, 0);
  EXPECT_EQ(summary.rows[2].full_n, 400);
  EXPECT_EQ(summary.rows[2].full[kAuc].mean, 0.61);
  EXPECT_TRUE(summary.rows[2].metrics[kLogLossSquashed].values.empty());
  EXPECT_EQ(summary.rows[0].metrics[kLogLossSquashed].values.size(), 3U);
  EXPECT_EQ(results_[8].common->n, kPrompts);
}

TEST_F(Summary, MeansAndDeviationsAreOverSeeds) {
  const DatasetSummary summary = summarised();
  const MetricSummary& auc = summary.rows[0].metrics[kAuc];
  const double mean = (auc.values[0] + auc.values[1] + auc.values[2]) / 3.0;
  double squares = 0.0;
  for (const double value : auc.values) {
    squares += (value - mean) * (value - mean);
  }
  EXPECT_NEAR(auc.mean, mean, 1e-15);
  EXPECT_NEAR(*auc.deviation, std::sqrt(squares / 2.0), 1e-15);
  EXPECT_GT(*auc.deviation, 0.0);
}

TEST_F(Summary, TheReferenceIsComparedWithEveryOtherAndCorrectedForTheirNumber) {
  const DatasetSummary summary = summarised();
  const Comparison& auc = comparison(summary, 1, kAuc);
  EXPECT_NEAR(auc.difference,
              summary.rows[0].metrics[kAuc].mean - summary.rows[1].metrics[kAuc].mean, 1e-12);
  EXPECT_GT(auc.difference, 0.1);
  ASSERT_TRUE(auc.t_test && auc.t_test->p && auc.t_test_holm);
  EXPECT_EQ(auc.t_test->pairs, 3U);
  EXPECT_GE(*auc.t_test_holm, *auc.t_test->p);
  EXPECT_EQ(auc.seeds, grid_.seeds);
  ASSERT_TRUE(auc.bootstrap);
  EXPECT_LT(auc.bootstrap->low, auc.difference);
  EXPECT_GT(auc.bootstrap->high, auc.difference);
  ASSERT_EQ(auc.delong.size(), 3U);
  double mean = 0.0;
  for (std::size_t i = 0; i < auc.delong.size(); ++i) {
    EXPECT_EQ(auc.delong[i].seed, grid_.seeds[i]);
    EXPECT_GE(*auc.delong[i].p_holm, *auc.delong[i].test.p);
    mean += auc.delong[i].test.difference / 3.0;
  }
  EXPECT_NEAR(mean, auc.difference, 1e-12);
  EXPECT_TRUE(is_significant(auc));
  const Comparison& other = comparison(summary, 2, kAuc);
  const double smaller = std::min(*auc.t_test->p, *other.t_test->p);
  const double larger = std::max(*auc.t_test->p, *other.t_test->p);
  EXPECT_NEAR(std::min(*auc.t_test_holm, *other.t_test_holm), std::min(1.0, 2.0 * smaller), 1e-15);
  EXPECT_NEAR(std::max(*auc.t_test_holm, *other.t_test_holm), std::max(2.0 * smaller, larger),
              1e-15);
  EXPECT_TRUE(comparison(summary, 1, kLogLoss).delong.empty());
  EXPECT_TRUE(comparison(summary, 1, kLogLoss).bootstrap);
  EXPECT_THROW(comparison(summary, 2, kLogLossSquashed), std::out_of_range);
  const Comparison* rival = against_best(summary, "good", kAuc);
  ASSERT_NE(rival, nullptr);
  EXPECT_EQ(rival->row,
            summary.rows[1].metrics[kAuc].mean > summary.rows[2].metrics[kAuc].mean ? 1U : 2U);
}

TEST_F(Summary, ALossIsBetterWhereItIsSmaller) {
  EXPECT_TRUE(is_better(kAuc, 0.7, 0.6));
  EXPECT_TRUE(is_better(kAccuracy, 0.7, 0.6));
  EXPECT_TRUE(is_better(kLogLoss, 0.6, 0.7));
  EXPECT_TRUE(is_better(kLogLossSquashed, 0.6, 0.7));
}

TEST_F(Summary, WhatNoSeedChangesHasNoDeviationInATable) {
  for (std::size_t i = 3; i < 6; ++i) {
    folder_.put(cells_[i].folder + "/infer/scores.jsonl", scores(1, 0.2, false));
  }
  const Table table = table_of(grid_, published_, summarised());
  EXPECT_NE(table.rows[0][2].text.find("±"), std::string::npos);
  EXPECT_EQ(table.rows[1][2].text.find("±"), std::string::npos);
}

TEST_F(Summary, AHelperIsShownButNeitherBestNorCompared) {
  grid_.reference = "bad";
  grid_.systems[0].helper = true;
  const DatasetSummary summary = summarised();
  EXPECT_THROW(comparison(summary, 0, kAuc), std::out_of_range);
  EXPECT_EQ(comparison(summary, 2, kAuc).reference, 1U);
  const Table table = table_of(grid_, published_, summary);
  EXPECT_FALSE(table.rows[0][2].best);
  EXPECT_NE(table.rows[1][2].best, table.rows[2][2].best);
  EXPECT_EQ(against_best(summary, "bad", kAuc)->row, 2U);
}

TEST_F(Summary, ASystemMayNameWhatItIsComparedWith) {
  grid_.systems[2].reference = "bad";
  const DatasetSummary summary = summarised();
  EXPECT_EQ(comparison(summary, 1, kAuc).reference, 0U);
  const Comparison& own = comparison(summary, 2, kAuc);
  EXPECT_EQ(own.reference, 1U);
  EXPECT_NEAR(own.difference,
              summary.rows[1].metrics[kAuc].mean - summary.rows[2].metrics[kAuc].mean, 1e-12);
  EXPECT_EQ(against_best(summary, "good", kAuc)->row, 1U) << "the other is no rival of 'good'";
}

// The metric over seeds is what the interval is about: with seeds far apart, one seed's own
// interval does not hold it.
TEST_F(Summary, TheIntervalIsOfTheMeanOverSeeds) {
  for (std::size_t i = 0; i < 3; ++i) {
    folder_.put(cells_[i].folder + "/infer/scores.jsonl", scores(0, i == 0 ? 0.39 : 0.11, false));
  }
  const Comparison auc = comparison(summarised(), 1, kAuc);
  EXPECT_GT(auc.delong[0].test.difference, auc.difference + 0.1);
  EXPECT_LT(auc.bootstrap->low, auc.difference);
  EXPECT_GT(auc.bootstrap->high, auc.difference);
  EXPECT_LT(auc.bootstrap->high, auc.delong[0].test.difference);
}

TEST_F(Summary, OneSeedGetsNoStar) {
  grid_.seeds = {1};
  for (std::size_t i = cells_.size(); i-- > 0;) {
    if (cells_[i].seed != 1) {
      cells_.erase(cells_.begin() + static_cast<std::ptrdiff_t>(i));
      results_.erase(results_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  const DatasetSummary summary = summarised();
  const Comparison& auc = comparison(summary, 1, kAuc);
  EXPECT_FALSE(auc.t_test);
  EXPECT_FALSE(summary.rows[0].metrics[kAuc].deviation);
  ASSERT_EQ(auc.delong.size(), 1U);
  EXPECT_LT(*auc.delong[0].p_holm, 0.01);
  EXPECT_FALSE(is_significant(auc));
  const Table table = table_of(grid_, published_, summary);
  EXPECT_FALSE(table.rows[0][2].star);
}

TEST_F(Summary, AFailedCellIsCountedAndLeavesItsSeedOut) {
  results_[3].done = false;  // bad, seed 1
  results_[3].failure = Failure{ExitCode::kBadData, "x.csv:3: | wrong"};
  const DatasetSummary summary = summarised();
  EXPECT_EQ(summary.rows[1].failed, 1);
  EXPECT_EQ(summary.rows[1].seeds, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(comparison(summary, 1, kAuc).t_test->pairs, 2U);
  EXPECT_EQ(comparison(summary, 1, kAuc).seeds, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(comparison(summary, 1, kAuc).delong.size(), 2U);
  const std::string text = markdown("", {table_of(grid_, published_, summary)});
  EXPECT_NE(text.find("bad: 1 of 3 cells failed: x.csv:3: | wrong"), std::string::npos) << text;
}

TEST_F(Summary, ThreeRanksSayWhatOneSays) {
  const DatasetSummary alone = summarised();
  const std::string expected = summary_json("e", grid_, published_, {alone}, results_);
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    std::vector<CellResult> results = results_;
    std::vector<DatasetSummary> summaries = {
        summarise(grid_, grid_.datasets[0], published_, cells_, results, communicator)};
    correct_for_number(summaries);
    EXPECT_EQ(summary_json("e", grid_, published_, summaries, results), expected);
  });
}

TEST_F(Summary, TheFileHasMetricsCostAndComparisons) {
  const DatasetSummary summary = summarised();
  const nlohmann::json json =
      nlohmann::json::parse(summary_json("table1_small", grid_, published_, {summary}, results_));
  EXPECT_EQ(json["experiment"], "table1_small");
  EXPECT_EQ(json["cells"]["done"], 9);
  const nlohmann::json& dataset = json["datasets"][0];
  EXPECT_EQ(dataset["common_rows"], kPrompts);
  EXPECT_EQ(dataset["rows"][0]["system"], "good");
  EXPECT_EQ(dataset["rows"][0]["model"], "Small-Model");
  EXPECT_EQ(dataset["rows"][0]["train_prompts"], 64);
  EXPECT_EQ(dataset["rows"][2]["model"], "dcn");
  EXPECT_EQ(dataset["rows"][2]["full"]["n"], 400);
  EXPECT_EQ(dataset["rows"][2]["full"]["auc"]["mean"], 0.61);
  EXPECT_EQ(dataset["rows"][0]["published"]["auc"], 0.9);
  EXPECT_TRUE(dataset["rows"][1]["published"].is_null());
  EXPECT_EQ(dataset["comparisons"].size(), 4U + 3U);
  EXPECT_EQ(dataset["comparisons"][0]["reference"], "good");
  EXPECT_EQ(dataset["comparisons"][0]["seeds"], (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(dataset["comparisons"][0]["delong"].size(), 3U);
  EXPECT_TRUE(dataset["best_other"]["auc"]["star"].get<bool>());
  // ingest ran once and was shared by eight; tune ran in all nine.
  EXPECT_EQ(json["cost"]["stages"]["ingest"]["ran"], 1);
  EXPECT_EQ(json["cost"]["stages"]["ingest"]["shared"], 8);
  EXPECT_EQ(json["cost"]["seconds"], 92.0);
}

TEST_F(Summary, TablesKeepOursAndPublishedInColumnsOfTheirOwn) {
  const DatasetSummary summary = summarised();
  const Table table = table_of(grid_, published_, summary);
  ASSERT_EQ(table.head.size(), 10U);
  ASSERT_EQ(table.rows.size(), 3U);
  for (const auto& row : table.rows) {
    EXPECT_EQ(row.size(), table.head.size());
  }
  EXPECT_TRUE(table.rows[0][2].best);
  EXPECT_TRUE(table.rows[0][2].star);
  EXPECT_FALSE(table.rows[1][2].best);
  EXPECT_EQ(table.rows[0][6].text, "0.9000");
  EXPECT_TRUE(table.rows[0][6].best);
  EXPECT_EQ(table.rows[0][7].text, "–") << "its published log loss is squashed";
  EXPECT_EQ(table.rows[0][8].text, "0.3000");
  EXPECT_EQ(table.rows[2][7].text, "0.6000");
  EXPECT_EQ(table.rows[2][4].text, "–");
  for (const char* word :
       {"Small-Model", "ratings", "150 test rows", "seeds 1, 2, 3", "Large-Model", "A paper"}) {
    EXPECT_NE(table.caption.find(word), std::string::npos) << table.caption;
  }
  const std::string text = markdown("A title", {table});
  EXPECT_NE(text.find("# A title"), std::string::npos);
  EXPECT_NE(text.find("** \\* |"), std::string::npos) << text;
  EXPECT_NE(text.find("dcn on all its 400 test rows: AUC 0.6100"), std::string::npos) << text;
  const std::string tex = latex({table});
  EXPECT_NE(tex.find("\\textbf{"), std::string::npos);
  EXPECT_NE(tex.find("$^{*}$"), std::string::npos);
  EXPECT_EQ(tex.find("±"), std::string::npos);
  EXPECT_NE(tex.find("p $<$ 0.01"), std::string::npos) << tex;
}

}  // namespace
}  // namespace rallrec::pipeline
