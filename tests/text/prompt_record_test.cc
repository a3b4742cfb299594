#include "text/prompt_record.h"

#include <gtest/gtest.h>

#include "io/jsonl.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_paths.h"

namespace rallrec::text {
namespace {

using rallrec::testing::expect_error;

class PromptRecord : public ::testing::Test {
 protected:
  io::JsonRecord record(const std::string& line) {
    return io::JsonlFile(folder_.put("p.jsonl", line + "\n")).read(0);
  }
  std::string prompt(const std::string& line) {
    return tokenizer_.decode(prompt_ids_of(record(line), chat_));
  }
  std::string trained(const std::string& line) {
    const LabelledIds example = training_ids_of(record(line), chat_);
    const auto cut = example.ids.begin() + static_cast<std::ptrdiff_t>(example.first_label);
    return tokenizer_.decode({cut, example.ids.end()});
  }

  rallrec::testing::TemporaryFolder folder_;
  const Tokenizer tokenizer_ = Tokenizer::load(tiny_tokenizer());
  const ChatTemplate chat_{tokenizer_, {}};
};

TEST_F(PromptRecord, ReadsBothForms) {
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

TEST_F(PromptRecord, NamesLineAndKeyOfWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {R"({"output": "Yes."})", "input"},
      {R"({"input": 3, "output": "Yes."})", "input"},
      {R"({"input": "Q"})", "output"},
      {R"({"input": "Q", "output": ""})", "output"},
      {R"({"input": "Q", "output": "Yes.", "messages": []})", "not both"},
      {R"({"messages": []})", "message of the user"},
      {R"({"messages": "Q"})", "messages"},
      {R"({"messages": [{"role": "user"}]})", "content"},
      {R"({"messages": [{"role": "tool", "content": "x"}]})", "\"tool\""},
      {R"({"messages": [{"role": "user", "content": "x"}]})", "answer"},
      {R"({"input": ")" + std::string(kMaxTextBytes + 1, 'x') + R"(", "output": "Yes."})",
       "bytes"}};
  for (const auto& [line, message] : wrong) {
    expect_error(ExitCode::kBadData, message, [&] { trained(line); });
    expect_error(ExitCode::kBadData, "p.jsonl:1:", [&] { trained(line); });
  }
}

}  // namespace
}  // namespace rallrec::text
