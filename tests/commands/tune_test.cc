// `rallrec tune` as a process: the same result on 1, 2 and 4 ranks, the files it leaves, what it
// says about wrong input.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/commands/tuning_fixture.h"

namespace rallrec::testing {
namespace {

TEST_F(TuningFixture, TheSameBytesOnOneTwoAndFourRanks) {
  const std::string train = write_prompts("train.jsonl", 40, 1);
  const std::string valid = write_prompts("valid.jsonl", 9, 2);
  for (const int ranks : {1, 2, 4}) {
    const Outcome outcome =
        run(ranks, tune_arguments(train, "on" + std::to_string(ranks), {"--valid", valid}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  expect_same_run("on1", "on2");
  expect_same_run("on1", "on4");
  const std::string log = log_of("on1");
  EXPECT_EQ(lines_in(log), 9);  // 40 prompts in 3 steps, 3 epochs
  for (const char* key : {"\"step\": 9", "\"loss\": ", "\"learning_rate\": ", "\"tokens\": ",
                          "\"valid_label_word_loss\": "}) {
    EXPECT_NE(log.find(key, log.rfind("{\"step\"")), std::string::npos) << key;
  }
  EXPECT_NE(folder.get("on1/trainer_state.json").find("\"global_step\": 9"), std::string::npos);
}

TEST_F(TuningFixture, ASharedInt8BaseGivesTheBytesOfAWholeOne) {
  const std::string train = write_prompts("train.jsonl", 40, 1);
  const std::string valid = write_prompts("valid.jsonl", 9, 2);
  const std::vector<std::string> int8 = {"--valid", valid, "--quant", "w8a8"};
  for (const int ranks : {1, 2, 4}) {
    const Outcome outcome = run(ranks, tune_arguments(train, "on" + std::to_string(ranks), int8));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const bool gathered = outcome.err.find("gathered from other ranks") != std::string::npos;
    EXPECT_EQ(gathered, ranks > 1) << outcome.err;
  }
  std::vector<std::string> whole = int8;
  whole.insert(whole.end(), {"--set", "cluster.replicate_base=true"});
  const Outcome outcome = run(2, tune_arguments(train, "whole", whole));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("gathered from other ranks"), std::string::npos);
  expect_same_run("on1", "on2");
  expect_same_run("on1", "on4");
  expect_same_run("on1", "whole");
}

TEST_F(TuningFixture, ATraceShowsTheLayersOfEachRank) {
  const std::string train = write_prompts("train.jsonl", 8, 1);
  const Outcome outcome =
      run(2, tune_arguments(train, "out",
                            {"--quant", "w8a8", "--trace", folder.file("trace.json"), "--set",
                             "tune.max_steps=2"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto trace = nlohmann::json::parse(folder.get("trace.json"));
  std::set<std::pair<int, std::string>> spans;
  for (const auto& event : trace.at("traceEvents")) {
    spans.emplace(event.at("pid").get<int>(), event.at("name").get<std::string>());
  }
  for (const int rank : {0, 1}) {
    for (const char* name : {"compute L0", "compute L1", "gather L0", "gather L1"}) {
      EXPECT_EQ(spans.count({rank, name}), 1U) << rank << name;
    }
  }
}

TEST_F(TuningFixture, LearnsAndChangesTheScores) {
  const std::string train = write_prompts("train.jsonl", 64, 1);
  ASSERT_EQ(run(1, tune_arguments(train, "out", {"--set", "tune.epochs=8"})).code, 0);
  const std::string log = log_of("out");
  const auto loss_at = [&](std::size_t at) {
    return std::stod(log.substr(log.find("\"loss\": ", at) + 8));
  };
  EXPECT_LT(loss_at(log.rfind("{\"step\"")), 0.5 * loss_at(0));
}

TEST_F(TuningFixture, AFinishedRunSaysSoAndAnotherConfigIsRefused) {
  const std::string train = write_prompts("train.jsonl", 20, 1);
  ASSERT_EQ(run(1, tune_arguments(train, "out")).code, 0);
  const std::string adapter = adapter_of("out");
  const Outcome again = run(2, tune_arguments(train, "out"));
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.err.find("ended after 6 steps"), std::string::npos) << again.err;

  const Outcome other = run(1, tune_arguments(train, "out", {"--set", "tune.seed=7"}));
  EXPECT_EQ(other.code, 64);
  EXPECT_NE(other.err.find("(tune.seed was 42 and is 7)"), std::string::npos) << other.err;
  EXPECT_NE(other.err.find("--resume never"), std::string::npos);
  const std::string more = write_prompts("more.jsonl", 21, 1);
  const Outcome data = run(1, tune_arguments(more, "out"));
  EXPECT_EQ(data.code, 64);
  EXPECT_NE(data.err.find("other prompts"), std::string::npos) << data.err;
  EXPECT_EQ(adapter_of("out"), adapter);

  const Outcome anew =
      run(1, tune_arguments(train, "out", {"--set", "tune.seed=7", "--resume", "never"}));
  EXPECT_EQ(anew.code, 0) << anew.err;
  EXPECT_NE(adapter_of("out"), adapter);
}

TEST_F(TuningFixture, AnewItClearsAnEarlierRunOnlyOnceTheWeightsAreRead) {
  const std::string train = write_prompts("train.jsonl", 12, 1);
  ASSERT_EQ(run(1, tune_arguments(train, "out")).code, 0);
  const std::string adapter = adapter_of("out");
  // The last number of the weights becomes NaN.
  std::string weights = folder.get("model/model.safetensors");
  weights.replace(weights.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));
  folder.put("model/model.safetensors", weights);
  const Outcome refused = run(2, tune_arguments(train, "out", {"--resume", "never"}));
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("model.safetensors"), std::string::npos) << refused.err;
  EXPECT_EQ(adapter_of("out"), adapter);
}

TEST_F(TuningFixture, AllFormsOfAPromptFileAreOne) {
  const std::string lines = folder.put("a.jsonl",
                                       "{\"input\": \"good film?\", \"output\": "
                                       "\"Yes.\"}\n{\"input\": \"bad?\", \"output\": \"No.\"}\n");
  const std::string array = folder.put("b.json",
                                       "[{\"input\": \"good film?\", \"output\": \"Yes.\"},\n "
                                       "{\"input\": \"bad?\", \"output\": \"No.\"}]");
  const std::string chat = folder.put(
      "c.jsonl",
      "{\"messages\": [{\"role\": \"user\", \"content\": \"good film?\"}, {\"role\": "
      "\"assistant\", "
      "\"content\": \"Yes.\"}]}\n{\"messages\": [{\"role\": \"user\", \"content\": \"bad?\"}, "
      "{\"role\": \"assistant\", \"content\": \"No.\"}]}\n");
  ASSERT_EQ(run(1, tune_arguments(lines, "a")).code, 0);
  ASSERT_EQ(run(1, tune_arguments(array, "b")).code, 0);
  ASSERT_EQ(run(1, tune_arguments(chat, "c")).code, 0);
  expect_same_run("a", "b");
  expect_same_run("a", "c");
}

TEST_F(TuningFixture, MaxStepsWinsOverEpochs) {
  const std::string train = write_prompts("train.jsonl", 20, 1);
  ASSERT_EQ(run(1, tune_arguments(train, "out", {"--set", "tune.max_steps=5"})).code, 0);
  EXPECT_EQ(lines_in(log_of("out")), 5);
}

TEST_F(TuningFixture, WrongInputIsNamed) {
  const std::string good = "{\"input\": \"good?\", \"output\": \"Yes.\"}\n";
  struct Case {
    std::string train;
    int code;
    std::string text;
  };
  // A run that never began claims no folder: the next one may be about other data.
  const std::vector<Case> cases = {
      {folder.file("nowhere.jsonl"), 66, "nowhere.jsonl"},
      {folder.put("e.jsonl", ""), 65, "e.jsonl"},
      {folder.put("j.jsonl", good + "{\"input\": \n"), 65, "j.jsonl:2"},
      {folder.put("o.jsonl", good + good + "{\"input\": \"x\"}\n"), 65, "o.jsonl:3"},
      {folder.put("u.jsonl", good + "{\"input\": \"\xff\", \"output\": \"No.\"}\n"), 65,
       "u.jsonl:2"}};
  for (const Case& one : cases) {
    for (const int ranks : {1, 2}) {
      const Outcome outcome = run(ranks, tune_arguments(one.train, "out"));
      EXPECT_EQ(outcome.code, one.code) << outcome.err;
      EXPECT_NE(outcome.err.find(one.text), std::string::npos) << outcome.err;
    }
    const Outcome alone = run(1, tune_arguments(one.train, "out"));
    EXPECT_LE(lines_in(alone.err), 5) << alone.err;
    EXPECT_FALSE(std::filesystem::exists(folder.file("out/adapter")));
  }
}

// Bytes of one file in the model's folder, changed for one run.
struct Lie {
  const char* file;
  const char* from;
  const char* to;
  const char* text;
};

TEST_F(TuningFixture, AModelThatLiesIsNamed) {
  const std::string train = write_prompts("train.jsonl", 8, 1);
  const Lie lies[] = {
      {"config.json", "\"intermediate_size\": 48", "\"intermediate_size\": 56", "mlp.gate_proj"},
      {"config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "is missing"},
      {"config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", "model.layers.1"},
      {"config.json", "LlamaForCausalLM", "GPT2LMHeadModel", "config.json"},
      {"config.json", "\"vocab_size\": 300", "\"vocab_size\": 301", "embed_tokens"},
      {"model.safetensors", "\"F32\"", "\"I32\"", "I32"},
      {"model.safetensors", "[300,32]", "[300,33]", "model.safetensors"},
      {"model.safetensors", "\"data_offsets\":[0,", "\"data_offsets\":[4,", "model.safetensors"},
      {"model.safetensors", "layers.1.mlp.up_proj", "layers.1.mlp.xx_proj", "up_proj"}};
  // In turn by the loader of a whole model and by that of a shared one.
  int ranks = 1;
  for (const Lie& lie : lies) {
    ranks = 3 - ranks;
    const std::string name = std::string("model/") + lie.file;
    const std::string honest = folder.get(name);
    const std::size_t at = honest.find(lie.from);
    ASSERT_NE(at, std::string::npos) << lie.from;
    std::string changed = honest;
    changed.replace(at, std::string(lie.from).size(), lie.to);
    folder.put(name, changed);
    const char* quant = ranks == 1 ? "fp32" : "w8a8";
    const Outcome outcome = run(ranks, tune_arguments(train, "out", {"--quant", quant}));
    EXPECT_EQ(outcome.code, 65) << lie.from << outcome.err;
    EXPECT_NE(outcome.err.find(lie.text), std::string::npos) << lie.from << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(folder.file("out/tune_state.json")));
    folder.put(name, honest);
  }
}

TEST_F(TuningFixture, PromptsOverTheCutoffAreShortenedAndCounted) {
  std::string history;
  for (int i = 0; i < 60; ++i) {
    history += " long film " + std::to_string(i);
  }
  const std::string train =
      folder.put("long.jsonl", "{\"input\": \"good" + history + "?\", \"output\": \"Yes.\"}\n" +
                                   "{\"input\": \"bad?\", \"output\": \"No.\"}\n" +
                                   "{\"input\": \"bad" + history + "?\", \"output\": \"No.\"}\n");
  const Outcome outcome = run(1, tune_arguments(train, "out", {"--set", "prompt.cutoff=100"}));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("2 of 3 prompts"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace rallrec::testing
