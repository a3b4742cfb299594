// `rallrec logits`, `embed` and `describe` on a person's own files, as processes.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/npy.h"
#include "io/safetensors.h"
#include "io/utf8.h"
#include "pipeline/text_generator.h"
#include "tests/commands/tuning_fixture.h"
#include "tests/support/reference_text.h"
#include "text/chat_template.h"

namespace rallrec::testing {
namespace {

using Json = nlohmann::ordered_json;

class ModelFiles : public TuningFixture {
 protected:
  std::vector<std::string> arguments(const std::string& command, const std::string& input,
                                     const std::string& output,
                                     const std::vector<std::string>& more = {}) const {
    std::vector<std::string> result = {command,   "--model", model,      "--quant",          "fp32",
                                       "--input", input,     "--output", folder.file(output)};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  }

  // The command fails with this code, says `text` in at most five lines and leaves nothing.
  void expect_refused(const std::string& command, const std::string& input, int code,
                      const std::string& text) const {
    std::filesystem::create_directories(folder.file("refused"));
    const Outcome outcome = run(1, arguments(command, input, "refused/out"));
    EXPECT_EQ(outcome.code, code) << command << ": " << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    EXPECT_LE(lines_in(outcome.err), 5) << outcome.err;
    EXPECT_TRUE(std::filesystem::is_empty(folder.file("refused")));
  }

  static std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(Json::parse(line));
    }
    return lines;
  }
};

TEST_F(ModelFiles, LogitsAreThoseOfTransformers) {
  for (const std::string name : {"grouped", "tied", "head_dim", "scaled", "sharded_bf16"}) {
    const std::string golden = std::string(RALLREC_SOURCE_DIR) + "/tests/golden/tiny/" + name;
    std::ifstream file(golden + "/expected.json");
    const Json expected = Json::parse(file);
    std::string lines;
    for (const Json& one : expected) {
      lines += Json{{"ids", one.at("ids")}}.dump() + "\n";
    }
    const std::string input = folder.put(name + ".jsonl", lines);
    const Outcome outcome = run(1, {"logits", "--model", golden, "--quant", "fp32", "--input",
                                    input, "--output", folder.file(name)});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const io::SafetensorsFile output(folder.file(name));
    ASSERT_EQ(output.tensors().size(), 1U);
    const io::TensorInfo& info = output.get("logits");
    EXPECT_EQ(info.type, io::TensorType::kF32);
    const auto rows = static_cast<std::int64_t>(expected.size());
    ASSERT_EQ(info.shape, (std::vector<std::int64_t>{rows, 131}));
    std::vector<float> values(expected.size() * 131);
    output.read(info, values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_NEAR(values[i], expected[i / 131].at("logits")[i % 131].get<double>(), 1e-4) << name;
    }
  }
}

TEST_F(ModelFiles, LogitsAreTheSameOnTwoRanks) {
  std::string lines;
  for (int line = 0; line < 7; ++line) {
    Json ids = Json::array();
    for (int i = 0; i <= 5 * line; ++i) {
      ids.push_back((line * 37 + i * 11) % 300);
    }
    lines += Json{{"ids", ids}}.dump() + "\n";
  }
  const std::string input = folder.put("in.jsonl", lines);
  for (const int ranks : {1, 2}) {
    const Outcome outcome = run(ranks, arguments("logits", input, std::to_string(ranks),
                                                 {"--set", "infer.token_budget=40"}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_GT(folder.get("1").size(), 7U * 300 * sizeof(float));
  EXPECT_EQ(folder.get("1"), folder.get("2"));
}

TEST_F(ModelFiles, LogitsOfIdsThatAreNoneAreRefused) {
  const std::string good = "{\"ids\": [1, 299]}\n";
  expect_refused("logits", folder.put("e.jsonl", good + "{\"ids\": []}\n"), 65, "e.jsonl:2");
  expect_refused("logits", folder.put("v.jsonl", good + good + "{\"ids\": [0, 300]}\n"), 65,
                 "v.jsonl:3");
  expect_refused("logits", folder.put("n.jsonl", "{\"ids\": [-1]}\n"), 65, "n.jsonl:1");
  expect_refused("logits", folder.put("k.jsonl", good + "{\"id\": [1]}\n"), 65, "k.jsonl:2");
  expect_refused("logits", folder.file("nowhere.jsonl"), 66, "nowhere.jsonl");
}

TEST_F(ModelFiles, EmbedWritesTheMeanOfEachLine) {
  const std::vector<std::string> texts = {"good film", "x", "", "a long red film about a bad film"};
  std::string lines;
  for (const std::string& text : texts) {
    lines += Json{{"text", text}}.dump() + "\n";
  }
  const std::string input = folder.put("in.jsonl", lines);
  for (const int ranks : {1, 2}) {
    const Outcome outcome = run(ranks, arguments("embed", input, std::to_string(ranks) + ".npy",
                                                 {"--set", "embed.token_budget=16"}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_EQ(folder.get("1.npy"), folder.get("2.npy"));
  const io::NpyArray array = io::read_npy(folder.file("1.npy"));
  EXPECT_EQ(array.type, io::NpyType::kFloat32);
  ASSERT_EQ(array.shape, (std::vector<std::int64_t>{4, 32}));
  const std::vector<float> values = array.to_float();
  const auto lm = models::llm::load_causal_lm(model, "fp32");
  const auto tokenizer = text::Tokenizer::load(model);
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const std::vector<double> mean = texts[row].empty()
                                         ? std::vector<double>(32)
                                         : mean_hidden(*lm, tokenizer.encode(texts[row]));
    for (std::size_t k = 0; k < 32; ++k) {
      EXPECT_NEAR(values[row * 32 + k], mean[k], 2e-5) << texts[row];
    }
  }
}

TEST_F(ModelFiles, TextsThatAreNoneAreRefused) {
  const std::string good = "{\"text\": \"a\"}\n";
  expect_refused("embed", folder.put("n.jsonl", good + "{\"text\": 5}\n"), 65, "n.jsonl:2");
  expect_refused("embed", folder.put("j.jsonl", good + good + "{\"text\": \n"), 65, "j.jsonl:3");
  expect_refused("embed", folder.put("k.jsonl", "{\"txt\": \"a\"}\n"), 65, "k.jsonl:1");
  const std::string longest = std::string(2000, 'x');
  expect_refused("embed", folder.put("l.jsonl", good + "{\"text\": \"" + longest + "\"}\n"), 65,
                 "l.jsonl:2");
  expect_refused("embed", folder.file("nowhere.jsonl"), 66, "nowhere.jsonl");
  expect_refused("describe", folder.put("p.jsonl", "{\"prompt\": \"a\"}\n" + good), 65,
                 "p.jsonl:2");
  expect_refused("describe", folder.file("nowhere.jsonl"), 66, "nowhere.jsonl");
}

TEST_F(ModelFiles, DescribeAddsTheGreedyText) {
  const std::string input = folder.put(
      "in.jsonl",
      "{\"id\": 9007199254740993, \"prompt\": \"a good film?\", \"x\": {\"b\": [null, 1.5]}}\n"
      "{\"description\": \"old\", \"prompt\": \"bad\", \"system\": \"Be short.\"}\n"
      "{\"prompt\": \"a good film!\", \"z\": \"\"}\n{\"prompt\": \"red\"}\n{\"prompt\": \"q\"}\n");
  for (const int ranks : {1, 2}) {
    const Outcome outcome = run(
        ranks, arguments("describe", input, std::to_string(ranks) + ".jsonl",
                         {"--temperature", "0", "--max-new-tokens", "10", "--batch-size", "2"}));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  EXPECT_EQ(folder.get("1.jsonl"), folder.get("2.jsonl"));
  const std::vector<Json> before = lines_of(folder.get("in.jsonl"));
  const std::vector<Json> after = lines_of(folder.get("1.jsonl"));
  ASSERT_EQ(after.size(), before.size());
  const auto lm = models::llm::load_causal_lm(model, "fp32");
  const auto tokenizer = text::Tokenizer::load(model);
  const text::ChatTemplate chat(tokenizer, {});
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto ids = greedy_ids(
        *lm, chat.prompt_ids(before[i].value("system", ""), before[i]["prompt"].get<std::string>()),
        10, tokenizer.vocab_size(),
        {*tokenizer.special_id("<|im_end|>"), *tokenizer.special_id("<|endoftext|>")});
    Json expected = before[i];
    expected.erase("description");
    expected["description"] = pipeline::on_one_line(io::repair_utf8(tokenizer.decode(ids)));
    EXPECT_NE(expected["description"], "");
    EXPECT_EQ(after[i].dump(), expected.dump());
  }
}

TEST_F(ModelFiles, AnOutputThatIsTheInputIsRefused) {
  const std::string texts =
      "{\"text\": \"a\", \"ids\": [1], \"prompt\": \"q\", \"input\": \"q\"}\n";
  for (const char* command : {"embed", "logits", "describe", "infer"}) {
    const std::string file = folder.put("self.jsonl", texts);
    std::filesystem::create_hard_link(file, folder.file("link.jsonl"));
    for (const char* output : {"self.jsonl", "link.jsonl"}) {
      const Outcome outcome = run(1, arguments(command, file, output));
      EXPECT_EQ(outcome.code, 64) << command << outcome.err;
      EXPECT_NE(outcome.err.find("is also the input"), std::string::npos) << outcome.err;
      EXPECT_EQ(folder.get("self.jsonl"), texts);
    }
    std::filesystem::remove(folder.file("link.jsonl"));
  }
}

}  // namespace
}  // namespace rallrec::testing
