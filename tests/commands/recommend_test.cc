// `rallrec recommend` after a small run.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/commands/json_lines.h"
#include "tests/commands/run_fixture.h"

namespace rallrec::testing {
namespace {

using Json = nlohmann::ordered_json;

class Recommend : public RunFixture {
 protected:
  void SetUp() override {
    const Outcome outcome = run(
        2, run_arguments(
               "run", {"--stages", "ingest,describe,embed,light_gcn,align,retrieve,prompt,tune"}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  Outcome recommend(int ranks, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"recommend", "--run-dir", folder.file("run")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(ranks, arguments);
  }

  std::vector<Json> lines_of(const std::string& name) const { return json_lines(folder.get(name)); }

  // The run's model and adapter on prompts of a file.
  std::vector<Json> inferred(const std::string& input) const {
    const Outcome outcome = run(1, {"infer", "--config", config, "--model", model, "--adapter",
                                    folder.file("run/tune/adapter"), "--input", folder.file(input),
                                    "--output", folder.file("inferred.jsonl")});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return lines_of("inferred.jsonl");
  }
};

TEST_F(Recommend, GivesTheBestWithTheScoresOfInferOnAnyNumberOfRanks) {
  const std::vector<std::string> all = {"--user", "u3", "--top", "99", "--output"};
  for (const int ranks : {1, 2, 3}) {
    std::vector<std::string> arguments = all;
    arguments.push_back(folder.file(std::to_string(ranks) + ".jsonl"));
    const Outcome outcome = recommend(ranks, arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(folder.get(std::to_string(ranks) + ".jsonl"), folder.get("1.jsonl"));
  }
  const std::vector<Json> best = lines_of("1.jsonl");
  // kRows ratings of the user are of different items.
  ASSERT_EQ(best.size(), static_cast<std::size_t>(kItems - kRows));
  const std::vector<Json> same = inferred("1.jsonl");
  for (std::size_t i = 0; i < best.size(); ++i) {
    EXPECT_NEAR(best[i]["score"].get<double>(), same[i]["score"].get<double>(), 1e-6);
    EXPECT_EQ(best[i]["rank"], i + 1);
    EXPECT_EQ(best[i]["user"], "u3");
    EXPECT_EQ(best[i]["why"].size(), 3U);  // prompt.k
    for (const char* key : {"similarity", "rating", "title", "item"}) {
      EXPECT_TRUE(best[i]["why"][0].contains(key)) << key;
    }
    EXPECT_GE(best[i]["why"][0]["similarity"], best[i]["why"][2]["similarity"]);
    if (i > 0) {
      EXPECT_LE(best[i]["score"], best[i - 1]["score"]);
    }
  }
  EXPECT_GT(best.front()["score"], best.back()["score"]);

  const Outcome table = recommend(2, {"--user", "u3", "--top", "2", "--why", "1"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_EQ(lines_in(table.out), 1 + 2 * 2) << table.out;
  EXPECT_NE(table.out.find(best[1]["title"].get<std::string>()), std::string::npos) << table.out;
  EXPECT_NE(table.out.find(best[1]["why"][0]["title"].get<std::string>()), std::string::npos);
}

TEST_F(Recommend, ScoresPairsInOrderAndFewerCandidatesWhereAsked) {
  ASSERT_EQ(
      recommend(1, {"--user", "u5", "--top", "99", "--output", folder.file("all.jsonl")}).code, 0);
  std::map<std::string, Json> by_item;
  for (const Json& line : lines_of("all.jsonl")) {
    by_item[line["item"]] = line;
  }
  ASSERT_EQ(
      recommend(2, {"--user", "u5", "--shortlist", "4", "--output", folder.file("4.jsonl")}).code,
      0);
  const std::vector<Json> few = lines_of("4.jsonl");
  ASSERT_EQ(few.size(), 4U);
  std::string pairs;
  for (const Json& line : few) {
    EXPECT_NEAR(line["score"].get<double>(), by_item[line["item"]]["score"].get<double>(), 1e-6);
    EXPECT_EQ(line["input"], by_item[line["item"]]["input"]);
    pairs = "{\"note\": 7, \"user\": \"u5\", \"item\": " + line["item"].dump() + "}\n" + pairs;
  }
  folder.put("pairs.jsonl", pairs + "{\"user\": \"u0\", \"item\": \"i1\"}\n");
  const Outcome scored = recommend(2, {"--pairs", folder.file("pairs.jsonl")});
  ASSERT_EQ(scored.code, 0) << scored.err;
  folder.put("scored.jsonl", scored.out);
  const std::vector<Json> lines = lines_of("scored.jsonl");
  ASSERT_EQ(lines.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i]["item"], few[3 - i]["item"]);
    EXPECT_EQ(lines[i]["note"], 7);
    EXPECT_NEAR(lines[i]["score"].get<double>(), few[3 - i]["score"].get<double>(), 1e-6);
  }
  folder.put("c.jsonl", "{\"item\": \"i1\"}\n{\"item\": \"i2\"}\n");
  ASSERT_EQ(recommend(1, {"--user", "u5", "--candidates", folder.file("c.jsonl"), "--output",
                          folder.file("c-out.jsonl")})
                .code,
            0);
  EXPECT_EQ(lines_of("c-out.jsonl").size(), 2U);
}

TEST_F(Recommend, ARatedItemIsNoReasonForItself) {
  ASSERT_EQ(
      recommend(1, {"--user", "u3", "--top", "1", "--output", folder.file("best.jsonl")}).code, 0);
  std::string rated;
  std::string pairs;
  const std::vector<Json> best = lines_of("best.jsonl");
  for (const Json& reason : best[0]["why"]) {
    rated += "{\"item\": " + reason["item"].dump() + "}\n";
    pairs += "{\"user\": \"u3\", \"item\": " + reason["item"].dump() + "}\n";
  }
  folder.put("rated.jsonl", rated);
  for (const char* view : {"simple", "rerank"}) {
    const Outcome outcome =
        recommend(2, {"--user", "u3", "--candidates", folder.file("rated.jsonl"), "--set",
                      "data.deduplicate=false", "--set", std::string("prompt.test_view=") + view,
                      "--output", folder.file("again.jsonl")});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const std::vector<Json> again = lines_of("again.jsonl");
    ASSERT_EQ(again.size(), 3U);
    for (const Json& line : again) {
      EXPECT_EQ(line["why"].size(), 3U);
      for (const Json& reason : line["why"]) {
        EXPECT_NE(reason["item"], line["item"]) << view;
      }
    }
  }
  const Outcome scored = recommend(
      1, {"--pairs",
          folder.put("rated_pairs.jsonl", pairs + "{\"user\": \"u3\", " + "\"item\": \"i1\"}\n")});
  EXPECT_EQ(scored.code, 0);
  EXPECT_NE(scored.err.find("pairs are rated already"), std::string::npos) << scored.err;
}

TEST_F(Recommend, SaysWhatIsWrongAndWhatIsMissing) {
  const auto expect = [&](int code, const std::string& text, const std::vector<std::string>& more) {
    const Outcome outcome = recommend(1, more);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    EXPECT_LE(lines_in(outcome.err), 5);
  };
  expect(64, "--user: user 'u33' is not in the data set; did you mean 'u3'?", {"--user", "u33"});
  expect(64, "give --user ID", {});
  expect(64, "give --user ID", {"--user", "u3", "--pairs", "p.jsonl"});
  expect(64, "did you mean 'light_gcn'",
         {"--user", "u3", "--shortlist", "2", "--shortlist-by", "light-gcn"});
  folder.put("p.jsonl", "{\"user\": \"u3\", \"item\": \"film\"}\n");
  expect(65, "p.jsonl:1", {"--pairs", folder.file("p.jsonl")});
  ASSERT_EQ(
      run(1, run_arguments("run", {"--stages", "ingest", "--set", "data.min_history=3"})).code, 0);
  expect(66, "was made of another ingest/interactions.h5 than stage ingest has written since",
         {"--user", "u3"});
  ASSERT_EQ(run(1, run_arguments("run", {"--stages", "ingest"})).code, 0);
  ASSERT_EQ(recommend(1, {"--user", "u3"}).code, 0) << "as it was";
  std::filesystem::remove_all(folder.file("run/tune/adapter"));
  expect(66, "written by stage tune", {"--user", "u3"});
  std::filesystem::remove(folder.file("run/align/aligned_embeddings.h5"));
  expect(66, "written by stage align", {"--user", "u3"});
  const Outcome outcome = run(1, {"recommend", "--run-dir", folder.file("none"), "--user", "u3"});
  EXPECT_EQ(outcome.code, 66);
  EXPECT_NE(outcome.err.find("is not the folder of a run"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace rallrec::testing
