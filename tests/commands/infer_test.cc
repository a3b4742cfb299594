// `rallrec infer` as a process.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/commands/json_lines.h"
#include "tests/commands/tuning_fixture.h"

namespace rallrec::testing {
namespace {

using Json = nlohmann::ordered_json;

class Infer : public TuningFixture {
 protected:
  Outcome infer(int ranks, const std::string& input, const std::string& output,
                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"infer",
                                          "--model",
                                          model,
                                          "--input",
                                          input,
                                          "--output",
                                          folder.file(output),
                                          "--set",
                                          "infer.token_budget=128"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(ranks, arguments);
  }
  std::vector<Json> lines_of(const std::string& name) const { return json_lines(folder.get(name)); }
};

TEST_F(Infer, KeepsTheLinesAndAddsTheScore) {
  const std::string input =
      folder.put("in.jsonl",
                 "{\"user\": 7, \"input\": \"good film?\", \"big\": 9007199254740993, \"x\": "
                 "{\"a\": [1, null]}, "
                 "\"score\": 5}\n\n{\"output\": \"No.\", \"input\": \"bad\", \"label\": 0}\n");
  ASSERT_EQ(infer(1, input, "out.jsonl").code, 0);
  const std::vector<Json> lines = lines_of("out.jsonl");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["big"].get<std::int64_t>(), 9007199254740993);
  EXPECT_EQ(lines[0]["x"].dump(), "{\"a\":[1,null]}");
  EXPECT_EQ(lines[1].begin().key(), "output");
  for (const Json& line : lines) {
    const double yes = line["logit_yes"];
    const double no = line["logit_no"];
    EXPECT_NEAR(line["score"].get<double>(), std::exp(yes) / (std::exp(yes) + std::exp(no)), 1e-12);
    EXPECT_FALSE(line.contains("score_squashed"));
  }
  EXPECT_NE(lines[0]["score"], lines[1]["score"]);
}

TEST_F(Infer, IsTheSameOnAnyNumberOfRanksAndForAnArray) {
  const std::string input = write_prompts("in.jsonl", 21, 4);
  ASSERT_EQ(infer(1, input, "1.jsonl", {"--squashed"}).code, 0);
  for (const int ranks : {2, 4}) {
    const std::string output = std::to_string(ranks) + ".jsonl";
    const Outcome outcome = infer(ranks, input, output, {"--squashed"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(folder.get(output), folder.get("1.jsonl"));
  }
  std::string array = "[";
  for (const Json& line : lines_of("in.jsonl")) {
    array += (array.size() > 1 ? ",\n" : "") + line.dump(2);
  }
  ASSERT_EQ(infer(1, folder.put("in.json", array + "]"), "a.jsonl", {"--squashed"}).code, 0);
  EXPECT_EQ(lines_of("a.jsonl"), lines_of("1.jsonl"));
  for (const Json& line : lines_of("1.jsonl")) {
    EXPECT_GT(line["score_squashed"].get<double>(), 0.2689);
    EXPECT_LT(line["score_squashed"].get<double>(), 0.7311);
    EXPECT_EQ(line["score_squashed"] > 0.5, line["score"] > 0.5);
  }
}

TEST_F(Infer, UsesTheAdapter) {
  const std::string train = write_prompts("train.jsonl", 64, 1);
  ASSERT_EQ(run(1, tune_arguments(train, "out", {"--set", "tune.epochs=8"})).code, 0);
  const std::string test = write_prompts("test.jsonl", 30, 5);
  ASSERT_EQ(infer(1, test, "tuned.jsonl", {"--adapter", folder.file("out/adapter")}).code, 0);
  ASSERT_EQ(infer(1, test, "bare.jsonl").code, 0);
  // Tuned, the two label words carry far more of the probability than before.
  double tuned = 0.0;
  double bare = 0.0;
  for (const Json& line : lines_of("tuned.jsonl")) {
    tuned += std::max(line["logit_yes"].get<double>(), line["logit_no"].get<double>());
  }
  for (const Json& line : lines_of("bare.jsonl")) {
    bare += std::max(line["logit_yes"].get<double>(), line["logit_no"].get<double>());
  }
  EXPECT_GT(tuned, bare + 30.0);
}

TEST_F(Infer, AnAdapterOfAnotherModelIsNamed) {
  const std::string train = write_prompts("train.jsonl", 8, 1);
  ASSERT_EQ(run(1, tune_arguments(train, "out")).code, 0);
  TinyModelShape wider;
  wider.hidden = 40;
  write_tiny_model(folder.file("wider"), 1, wider);
  const Outcome outcome =
      run(1, {"infer", "--model", folder.file("wider"), "--adapter", folder.file("out/adapter"),
              "--input", train, "--output", folder.file("o.jsonl")});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_NE(outcome.err.find("'" + model + "'"), std::string::npos) << outcome.err;
  EXPECT_EQ(infer(1, train, "o.jsonl", {"--adapter", folder.file("nowhere")}).code, 66);
}

}  // namespace
}  // namespace rallrec::testing
