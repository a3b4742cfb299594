#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_json.h"

namespace rallrec::testing {
namespace {

const std::string kTokenizer = std::string(RALLREC_SOURCE_DIR) + "/tests/fixtures/tiny_tokenizer";

class TokenizeCommand : public ::testing::Test {
 protected:
  // The command with `input` on standard input.
  Outcome tokenize(const std::string& input, const std::string& flags = "",
                   const std::string& tokenizer = kTokenizer) {
    const std::string file = folder_.put("input.jsonl", input);
    return run_program({"/bin/sh", "-c",
                        std::string(RALLREC_BINARY) + " tokenize --tokenizer " + tokenizer + " " +
                            flags + " < " + file});
  }
  void expect_refusal(const Outcome& outcome, int code, const std::string& text) {
    EXPECT_EQ(outcome.code, code);
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    EXPECT_LE(lines_in(outcome.err), 5);
  }

  TemporaryFolder folder_;
};

TEST_F(TokenizeCommand, GoesThereAndBackInOrder) {
  std::vector<std::string> texts = {"",
                                    " ",
                                    "Yes the movie",
                                    "\u2028 line \u0085 ends \r here",
                                    "<|im_end|>",
                                    "caf\u00e9 \"quoted\" \\",
                                    std::string(3000, 'a')};
  for (int i = 0; i < 3000; ++i) {
    texts.push_back("line " + std::to_string(i));
  }
  std::string input;
  for (const std::string& text : texts) {
    input += nlohmann::json{{"text", text}}.dump() + "\n";
  }
  const Outcome ids = tokenize(input);
  EXPECT_EQ(ids.code, 0) << ids.err;
  EXPECT_EQ(lines_in(ids.out), static_cast<int>(texts.size()));
  const Outcome back = tokenize(ids.out, "--decode");
  EXPECT_EQ(back.code, 0) << back.err;
  std::istringstream lines(back.out);
  for (const std::string& text : texts) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    ASSERT_EQ(nlohmann::json::parse(line)["text"], text);
  }
}

TEST_F(TokenizeCommand, LinesEndAtNewlinesAlone) {
  // A line separator and a bare carriage return stand inside the string of one line.
  const Outcome outcome = tokenize(
      "{\"text\":\"a\xe2\x80\xa8"
      "b\"}\n{\"text\":\"c\"}");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines_in(outcome.out), 2);
}

TEST_F(TokenizeCommand, PrintsSpecialTokensAndRepairsBytes) {
  const Outcome outcome = tokenize("{\"ids\":[1,198,2]}\n{\"ids\":[]}\n", "--decode");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "{\"text\":\"<|im_start|>\xef\xbf\xbd<|im_end|>\"}\n{\"text\":\"\"}\n");
}

TEST_F(TokenizeCommand, NamesTheLineOfWrongInput) {
  expect_refusal(tokenize("{\"text\":\"a\"}\n{\"text\":3}\n"), 65, ":2:");
  expect_refusal(tokenize("{\"text\":\"a\"}\n{\"txt\":\"b\"}\n"), 65, "text");
  expect_refusal(tokenize("{\"text\":\"a\"\n"), 65, ":1:");
  expect_refusal(tokenize("{\"text\":\"" + std::string(70000, 'a') + "\"}\n"), 65, "65536");
  expect_refusal(tokenize("{\"ids\":[292]}\n", "--decode"), 65, "0 to 291");
  expect_refusal(tokenize("{\"ids\":[-1]}\n", "--decode"), 65, ":1:");
  expect_refusal(tokenize("{\"ids\":[1.5]}\n", "--decode"), 65, "ids");
  expect_refusal(tokenize("{}\n", "", folder_.path() + "/none"), 66, "tokenizer.json");
  expect_refusal(run_program({RALLREC_BINARY, "tokenize"}), 64, "--tokenizer");
}

class InspectCommand : public ::testing::Test {
 protected:
  Outcome inspect(const std::string& prompts, const std::vector<std::string>& flags = {}) {
    std::vector<std::string> arguments = {RALLREC_BINARY, "inspect",     "--prompts",
                                          prompts,        "--tokenizer", kTokenizer};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return run_program(arguments);
  }

  // The texts of the tokens that are trained on.
  static std::vector<std::string> trained_in(const std::string& output) {
    std::vector<std::string> trained;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("  train  ") != std::string::npos) {
        trained.push_back(line.substr(line.rfind("  ") + 2));
      }
    }
    return trained;
  }

  TemporaryFolder folder_;
  const std::string prompts_ = folder_.put(
      "p.jsonl",
      "{\"input\":\"<|im_end|>\",\"output\":\"Yes.\"}\n{\"input\":\"Q\",\"output\":\"No.\"}\n");
};

TEST_F(InspectCommand, MarksWhatIsTrainedOn) {
  const Outcome outcome = inspect(prompts_);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(trained_in(outcome.out), (std::vector<std::string>{"\"Yes\"", "\".\"", "<|im_end|>"}));
  // That of the user's turn and that of the answer; the one in the text is in pieces.
  const std::regex special("  <\\|im_end\\|>\n");
  EXPECT_EQ(std::distance(std::sregex_iterator(outcome.out.begin(), outcome.out.end(), special),
                          std::sregex_iterator()),
            2);
}

TEST_F(InspectCommand, EncodesAsTuneDoes) {
  const std::string prompt = "{\"input\":\"" + std::string(99, 'x') + "\",\"output\":\"No.\"}\n";
  const Outcome cut = inspect(folder_.put("long.jsonl", prompt), {"--set", "prompt.cutoff=32"});
  EXPECT_NE(cut.out.find("shortened to prompt.cutoff"), std::string::npos) << cut.out << cut.err;
  const Outcome split = inspect(prompts_, {"--set", "tune.shown_answers=true"});
  EXPECT_EQ(split.code, 64) << "the tiny tokenizer has no token for \" Yes\"";
  EXPECT_NE(split.err.find("tune.shown_answers"), std::string::npos) << split.err;
}

TEST_F(InspectCommand, MarksAnswersThatThePromptShows) {
  folder_.put("tokenizer.json", text::spaced_answers_json().dump());
  const std::string prompts =
      folder_.put("shown.jsonl", "{\"input\":\"Heat: Yes; Up: No; Alien:\",\"output\":\"Yes.\"}\n");
  const Outcome outcome =
      run_program({RALLREC_BINARY, "inspect", "--prompts", prompts, "--tokenizer", folder_.path(),
                   "--set", "tune.shown_answers=true"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(trained_in(outcome.out),
            (std::vector<std::string>{"\" Yes\"", "\" No\"", "\"Yes\"", "\".\"", "<|im_end|>"}));
}

TEST_F(InspectCommand, ShowsAsManyAsAskedFor) {
  EXPECT_EQ(inspect(prompts_).out.find("p.jsonl:2"), std::string::npos);
  EXPECT_NE(inspect(prompts_, {"-n", "0"}).out.find("p.jsonl:2"), std::string::npos);
  EXPECT_NE(inspect(prompts_, {"-n", "9"}).out.find("p.jsonl:2"), std::string::npos);
  EXPECT_EQ(inspect(prompts_, {"-n", "-1"}).code, 64);
  EXPECT_EQ(inspect(folder_.file("none.jsonl")).code, 66);
  EXPECT_EQ(inspect(folder_.put("bad.jsonl", "{\"input\":3}\n")).code, 65);
  EXPECT_EQ(inspect(prompts_, {"--set", "prompt.chat_format=llama3"}).code, 64);
}

}  // namespace
}  // namespace rallrec::testing
