#include "train/prompt_encoder.h"

#include <gtest/gtest.h>

#include "io/jsonl.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "text/tokenizer.h"

namespace rallrec::train {
namespace {

using rallrec::testing::expect_error;

class PromptEncoding : public ::testing::Test {
 protected:
  io::JsonRecord record(const std::string& line) {
    return io::JsonlFile(folder_.put("p.jsonl", line + "\n")).read(0);
  }
  EncodedPrompt encode(const std::string& line, PromptEncoder::Answer answer) {
    return PromptEncoder(chat_, 1 << 30, answer).encode(record(line));
  }
  std::string prompt(const std::string& line) {
    return tokenizer_.decode(encode(line, PromptEncoder::Answer::kLeftToModel).ids);
  }
  std::string trained(const std::string& line) {
    const EncodedPrompt example = encode(line, PromptEncoder::Answer::kRequired);
    return tokenizer_.decode({example.ids.begin() + example.first_label, example.ids.end()});
  }

  rallrec::testing::TemporaryFolder folder_;
  const text::Tokenizer tokenizer_ =
      text::Tokenizer::load(RALLREC_SOURCE_DIR "/tests/fixtures/tiny_tokenizer");
  const text::ChatTemplate chat_{tokenizer_, {}};
};

TEST_F(PromptEncoding, ReadsBothForms) {
  const std::string framed = "<|im_start|>user\nLike it?<|im_end|>\n<|im_start|>assistant\n";
  EXPECT_EQ(prompt(R"({"input": "Like it?", "label": 1})"), framed);
  EXPECT_EQ(prompt(R"({"input": "Like it?", "output": "Yes."})"), framed);
  EXPECT_EQ(prompt(R"({"messages": [{"role": "user", "content": "Like it?"}]})"), framed);
  EXPECT_EQ(prompt(R"({"input": "Like it?", "system": "S"})"),
            "<|im_start|>system\nS<|im_end|>\n" + framed);
  EXPECT_EQ(trained(R"({"input": "Like it?", "output": "No."})"), "No.<|im_end|>");
  EXPECT_EQ(trained(R"({"messages": [{"role": "user", "content": "Like it?"}, )"
                    R"({"role": "assistant", "content": "Yes."}]})"),
            "Yes.<|im_end|>");
}

// What encode would refuse is known before any tokenising, so that it can be set aside.
TEST_F(PromptEncoding, MessagesOutOfTurnAreFoundByTheCheck) {
  const PromptEncoder encoder(chat_, 2048, PromptEncoder::Answer::kLeftToModel);
  encoder.check(record(R"({"messages": [{"role": "user", "content": "x"}]})"));
  expect_error(ExitCode::kBadData, "messages[1] is out of turn", [&] {
    encoder.check(record(R"({"messages": [{"role": "user", "content": "x"}, )"
                         R"({"role": "user", "content": "y"}]})"));
  });
}

TEST_F(PromptEncoding, AnOptionalAnswerMayBeMissingButNotEmpty) {
  const auto optional = PromptEncoder::Answer::kOptional;
  const EncodedPrompt open = encode(R"({"input": "Like it?"})", optional);
  EXPECT_EQ(open.first_label, static_cast<std::int64_t>(open.ids.size()));
  const EncodedPrompt answered = encode(R"({"input": "Like it?", "output": "No."})", optional);
  EXPECT_EQ(answered.first_label, open.first_label);
  EXPECT_GT(answered.ids.size(), open.ids.size());
  expect_error(ExitCode::kBadData, "output",
               [&] { encode(R"({"input": "Q", "output": ""})", optional); });
}

TEST_F(PromptEncoding, NamesLineAndKeyOfWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {R"({"output": "Yes."})", "input"},
      {R"({"input": 3, "output": "Yes."})", "input"},
      {R"({"input": "Q"})", "output"},
      {R"({"input": "Q", "output": ""})", "output"},
      {R"({"input": "Q", "output": "Yes.", "messages": []})", "not both"},
      {R"({"messages": []})", "answer"},
      {R"({"messages": [{"role": "assistant", "content": "x"}]})", "message of the user"},
      {R"({"messages": "Q"})", "messages"},
      {R"({"messages": [{"role": "user"}]})", "content"},
      {R"({"messages": [{"role": "tool", "content": "x"}]})", "\"tool\""},
      {R"({"messages": [{"role": "user", "content": "x"}]})", "answer"},
      {R"({"input": ")" + std::string(text::kMaxTextBytes + 1, 'x') + R"(", "output": "Yes."})",
       "bytes"}};
  for (const auto& [line, message] : wrong) {
    expect_error(ExitCode::kBadData, message, [&] { trained(line); });
    expect_error(ExitCode::kBadData, "p.jsonl:1:", [&] { trained(line); });
  }
}

}  // namespace
}  // namespace rallrec::train
