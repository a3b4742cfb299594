// `rallrec experiment` over ranks: the same figures, shared stages, kills, failing cells.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/commands/background_program.h"
#include "tests/commands/run_fixture.h"

namespace rallrec::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr double kPatience = 60.0;  // seconds; only a hang takes so long

class Experiment : public RunFixture {
 protected:
  Experiment() {
    grid = folder.put(
        "grid.toml",
        "title = 'Two systems'\ntable = 'table1'\nreference = 'rallrec'\n"
        "seeds = [1, 2]\nset = { 'describe.max_new_tokens' = 8, 'prompt.test_samples' = 12 }\n"
        "[[dataset]]\nname = 'made-up'\n"
        "[[system]]\nname = 'rallrec'\nconfig = 'run.toml'\n"
        "[[system]]\nname = 'dcn'\nconfig = 'dcn.toml'\n");
    folder.put("dcn.toml",
               "base = 'run.toml'\nstages = ['ingest', 'baseline', 'evaluate']\n"
               "[baseline]\nmodel = 'dcn'\nepochs = 3\nmlp_sizes = '8'\nbatch_size = 64\n");
  }

  std::vector<std::string> arguments(const std::string& name,
                                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"experiment", "--config", grid, "--run-dir", folder.file(name)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::vector<json> results(const std::string& name) const {
    std::vector<json> lines;
    std::istringstream stream(folder.get(name + "/results.jsonl"));
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(json::parse(line));
    }
    return lines;
  }

  // Without what depends on time.
  static json figures(json line) {
    line.erase("seconds");
    line.erase("stages");
    return line;
  }

  static std::map<std::string, int> runs_of_stages(const std::vector<json>& lines) {
    std::map<std::string, int> runs;
    for (const json& line : lines) {
      for (const auto& [stage, cost] : line["stages"].items()) {
        runs[stage] += cost["shared"].get<bool>() ? 0 : 1;
      }
    }
    return runs;
  }

  std::string grid;
};

TEST_F(Experiment, OneAndTwoRanksGiveTheSameFiguresAndRunCommonStagesOnce) {
  const Outcome alone = run(1, arguments("one"));
  ASSERT_EQ(alone.code, 0) << alone.err;
  const Outcome pair = run(2, arguments("two"));
  ASSERT_EQ(pair.code, 0) << pair.err;
  const std::vector<json> one = results("one");
  const std::vector<json> two = results("two");
  ASSERT_EQ(one.size(), 4U);
  ASSERT_EQ(two.size(), 4U);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(figures(one[i]), figures(two[i]));
    EXPECT_EQ(one[i]["status"], "done");
    EXPECT_TRUE(one[i]["common"]["auc"].is_number());
  }
  EXPECT_NE(one[0]["metrics"]["log_loss"], one[2]["metrics"]["log_loss"]) << "the seeds differ";
  EXPECT_EQ(one[0]["settings"]["tune.seed"], 1);
  EXPECT_EQ(one[0]["common"]["n"], one[1]["common"]["n"]);
  EXPECT_EQ(one[0]["metrics"]["n"], 12);
  EXPECT_GT(one[1]["metrics"]["n"], 12);
  EXPECT_EQ(folder.get("one/table.md"), folder.get("two/table.md"));

  const std::map<std::string, int> runs = runs_of_stages(two);
  for (const char* stage :
       {"ingest", "describe", "embed", "light_gcn", "align", "retrieve", "prompt"}) {
    EXPECT_EQ(runs.at(stage), 1) << stage;
  }
  EXPECT_EQ(runs.at("tune"), 2);
  EXPECT_EQ(runs.at("baseline/dcn"), 2);
  EXPECT_THAT(alone.out, HasSubstr("12 test rows that every system has scored"));
  EXPECT_TRUE(std::filesystem::exists(folder.file("one/table.tex")));
  const json summary = json::parse(folder.get("one/summary.json"));
  EXPECT_EQ(summary["cost"]["stages"]["ingest"]["shared"], 3);
  EXPECT_EQ(summary["datasets"][0]["comparisons"].size(), 3U);
  EXPECT_TRUE(leftovers("two").empty()) << leftovers("two").front();
  // A cell is an ordinary run.
  const Outcome again = run(
      1,
      {"run", "--config", folder.file("one/cells/made-up/dcn/seed-1") + "/config.resolved.toml"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("kept"));
}

TEST_F(Experiment, GridsThatNameOneStoreShareTheirStages) {
  const std::vector<std::string> store = {"--store", folder.file("shared"), "--only", "rallrec"};
  ASSERT_EQ(run(1, arguments("first", store)).code, 0);
  folder.put("shared/run.lock",
             R"({"host":"elsewhere","process":1,"started":"1","job":"","restarts":0})");
  const Outcome busy = run(1, arguments("second", store));
  EXPECT_EQ(busy.code, 64);
  EXPECT_THAT(busy.err, HasSubstr("elsewhere"));
  std::filesystem::remove(folder.file("shared/run.lock"));
  ASSERT_EQ(run(2, arguments("second", store)).code, 0);
  for (const auto& [stage, runs] : runs_of_stages(results("second"))) {
    EXPECT_EQ(runs, 0) << stage;
  }
  EXPECT_EQ(folder.get("first/table.md"), folder.get("second/table.md"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("second/store")));
}

TEST_F(Experiment, KilledItGoesOnAndKeepsWhatIsDone) {
  ASSERT_EQ(run(1, arguments("whole")).code, 0);
  const std::string output = folder.file("output.txt");
  {
    BackgroundProgram program(on_ranks(2, arguments("killed")), variables(), output);
    const std::string first = folder.file("killed/cells/made-up/rallrec/seed-1/tune/started.key");
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(first); }, kPatience));
    EXPECT_EQ(program.kill_all(), 3);
  }
  const auto ingested = std::filesystem::last_write_time(
      folder.file("killed/cells/made-up/rallrec/seed-1/ingest/manifest.json"));
  const Outcome last = run(2, arguments("killed"));
  ASSERT_EQ(last.code, 0) << last.err;
  EXPECT_EQ(std::filesystem::last_write_time(
                folder.file("killed/cells/made-up/rallrec/seed-1/ingest/manifest.json")),
            ingested);
  const std::vector<json> whole = results("whole");
  const std::vector<json> killed = results("killed");
  ASSERT_EQ(killed.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_EQ(figures(whole[i]), figures(killed[i]));
  }
  EXPECT_EQ(runs_of_stages(killed), runs_of_stages(whole));
  EXPECT_TRUE(leftovers("killed").empty()) << leftovers("killed").front();
}

TEST_F(Experiment, Sigusr1EndsItWithTheCodeForRequeueing) {
  const std::string output = folder.file("output.txt");
  BackgroundProgram program(on_ranks(2, arguments("stopped")), variables(), output);
  const std::string tune = folder.file("stopped/cells/made-up/rallrec/seed-1/tune/started.key");
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(tune); }, kPatience));
  program.signal(SIGUSR1);
  EXPECT_EQ(program.wait(), 75) << folder.get("output.txt");
  EXPECT_THAT(folder.get("stopped/results.jsonl"), ::testing::Not(HasSubstr("failed")));
}

// Also where rank 0 alone sees what is wrong (no samples) or the rank whose prompt it is (no room).
TEST_F(Experiment, FailingCellsAreRecordedAndTheOthersGoOn) {
  folder.put("broken.toml", "base = 'run.toml'\n[model]\npath = 'no/such/model'\n");
  std::string text = folder.get("grid.toml");
  text.replace(text.find("seeds = [1, 2]"), 14, "seeds = [1]");
  folder.put("grid.toml", text +
                              "[[system]]\nname = 'no_model'\nconfig = 'broken.toml'\n"
                              "[[system]]\nname = 'no_samples'\nconfig = 'dcn.toml'\n"
                              "set = { 'data.min_history' = 100000 }\n"
                              "[[system]]\nname = 'no_room'\nconfig = 'run.toml'\n"
                              "set = { 'prompt.cutoff' = 16 }\n"
                              "[[system]]\nname = 'last'\nconfig = 'dcn.toml'\n");
  for (const int ranks : {1, 2, 3}) {
    const std::string name = "ranks" + std::to_string(ranks);
    const Outcome outcome = run(ranks, arguments(name));
    EXPECT_EQ(outcome.code, 66) << outcome.err;
    const std::vector<json> lines = results(name);
    ASSERT_EQ(lines.size(), 6U);
    const std::vector<std::string> status = {"done", "done", "failed", "failed", "failed", "done"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_EQ(lines[i]["status"], status[i]) << ranks << " ranks: " << lines[i].dump();
    }
    EXPECT_THAT(lines[2]["error"].get<std::string>(), HasSubstr("no/such/model"));
    EXPECT_TRUE(lines[2]["metrics"].is_null());
    EXPECT_THAT(lines[3]["error"].get<std::string>(), HasSubstr("min_history"));
    EXPECT_THAT(lines[4]["error"].get<std::string>(), HasSubstr("prompt.cutoff"));
    EXPECT_THAT(folder.get(name + "/table.md"), HasSubstr("no_model: 1 of 1 cells failed"));
  }
}

TEST_F(Experiment, WrongNamesAreSaidBeforeAnythingIsWritten) {
  const Outcome only = run(1, arguments("none", {"--only", "rallrek"}));
  EXPECT_EQ(only.code, 64);
  EXPECT_THAT(only.err, HasSubstr("did you mean 'rallrec'?"));
  folder.put("grid.toml", folder.get("grid.toml") + "[[system]]\nname = 'rella'\n");
  const Outcome config = run(2, arguments("none"));
  EXPECT_EQ(config.code, 66);
  EXPECT_THAT(config.err, HasSubstr("there are dcn.toml, grid.toml, run.toml"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("none")));
  EXPECT_EQ(run(1, {"experiment"}).code, 64);
}

TEST_F(Experiment, ADryRunPrintsTheCellsAndWritesNothing) {
  const Outcome outcome = run(2, arguments("dry", {"--dry-run"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines_in(outcome.out), 4);
  EXPECT_THAT(outcome.out, HasSubstr("made-up dcn seed 2  ingest,baseline,evaluate"));
  EXPECT_FALSE(std::filesystem::exists(folder.file("dry")));
}

}  // namespace
}  // namespace rallrec::testing
