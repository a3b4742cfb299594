#include "train/prompt_reader.h"

#include <gtest/gtest.h>

#include "distributed/thread_communicator.h"
#include "io/jsonl.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/edited_tokenizer.h"
#include "text/tokenizer.h"

namespace rallrec::train {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;
using Answer = PromptEncoder::Answer;

class PromptReader : public ::testing::Test {
 protected:
  PromptEncoder encoder(std::int64_t cutoff, Answer answer = Answer::kRequired) const {
    return {chat_, cutoff, answer};
  }
  EncodedPrompt encode(const std::string& line, std::int64_t cutoff,
                       Answer answer = Answer::kRequired) const {
    return encoder(cutoff, answer).encode(io::JsonlFile(folder_.put("p", line + "\n")).read(0));
  }
  std::string text(const std::vector<std::int64_t>& ids) const { return tokenizer_.decode(ids); }

  TemporaryFolder folder_;
  const text::Tokenizer tokenizer_ =
      text::Tokenizer::load(std::string(RALLREC_SOURCE_DIR) + "/tests/fixtures/tiny_tokenizer");
  const text::ChatTemplate chat_{tokenizer_, {}};
};

TEST_F(PromptReader, TheAnswerAndItsEndAreTheLabels) {
  const EncodedPrompt prompt = encode(R"({"input": "Like it?", "output": "Yes."})", 2048);
  EXPECT_EQ(text({prompt.ids.begin(), prompt.ids.begin() + prompt.first_label}),
            "<|im_start|>user\nLike it?<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(text({prompt.ids.begin() + prompt.first_label, prompt.ids.end()}), "Yes.<|im_end|>");
  EXPECT_FALSE(prompt.shortened);
  const EncodedPrompt open =
      encode(R"({"input": "Like it?", "output": "Yes."})", 2048, Answer::kLeftToModel);
  EXPECT_EQ(open.first_label, static_cast<std::int64_t>(open.ids.size()));
  EXPECT_EQ(open.first_label, prompt.first_label);
}

TEST_F(PromptReader, ALongPromptLosesItsMiddle) {
  std::string films;
  for (int i = 0; i < 300; ++i) {
    films += "film " + std::to_string(i) + ", ";
  }
  const std::string line = R"({"input": "The user saw: )" + films +
                           R"(and so on. Will the user like it?", "output": "No."})";
  const EncodedPrompt whole = encode(line, 100000);
  const auto answer = whole.ids.size() - static_cast<std::size_t>(whole.first_label);
  for (const std::int64_t cutoff : {100, 250, 500}) {
    const EncodedPrompt cut = encode(line, cutoff);
    EXPECT_TRUE(cut.shortened);
    EXPECT_LE(cut.ids.size(), static_cast<std::size_t>(cutoff));
    EXPECT_GT(cut.ids.size(), static_cast<std::size_t>(cutoff * 8 / 10)) << "too much was lost";
    EXPECT_EQ(cut.ids.size() - static_cast<std::size_t>(cut.first_label), answer);
    const std::string kept = text(cut.ids);
    EXPECT_EQ(kept.find("<|im_start|>user\nThe user saw: film 0"), 0U);
    EXPECT_NE(kept.find("Will the user like it?<|im_end|>"), std::string::npos);
    EXPECT_NE(kept.find("No.<|im_end|>"), std::string::npos);
  }
}

TEST_F(PromptReader, ALongConversationLosesItsOldestTurnsFirst) {
  std::string turns;
  for (int i = 0; i < 40; ++i) {
    turns += R"({"role": "user", "content": "Question )" + std::to_string(i) +
             R"("}, {"role": "assistant", "content": "No."}, )";
  }
  const EncodedPrompt cut = encode(
      R"({"messages": [{"role": "system", "content": "S"}, )" + turns +
          R"({"role": "user", "content": "Last?"}, {"role": "assistant", "content": "Yes."}]})",
      200);
  EXPECT_LE(cut.ids.size(), 200U);
  const std::string kept = text(cut.ids);
  EXPECT_EQ(kept.find("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nQuestion"), 0U);
  EXPECT_EQ(kept.find("Question 0<"), std::string::npos);
  EXPECT_NE(kept.find("Question 39<"), std::string::npos);
  EXPECT_NE(kept.find("Last?"), std::string::npos);
}

TEST_F(PromptReader, AFrameOverTheCutoffIsBadData) {
  expect_error(ExitCode::kBadData, "prompt.cutoff",
               [&] { encode(R"({"input": "Like it?", "output": "Yes."})", 5); });
}

TEST_F(PromptReader, CutsBetweenCharacters) {
  EXPECT_EQ(cut_from_middle("abcdefgh", 4), "afgh");
  EXPECT_EQ(cut_from_middle("abc", 9), "");
  EXPECT_EQ(cut_from_middle("", 3), "");
  // Two-byte characters: whatever the number of bytes, none is cut in half.
  std::string text;
  for (int i = 0; i < 20; ++i) {
    text += "\xc3\xa9";
  }
  for (std::size_t bytes = 1; bytes <= text.size(); ++bytes) {
    const std::string cut = cut_from_middle(text, bytes);
    EXPECT_EQ(cut.size() % 2, 0U) << bytes;
    EXPECT_LE(cut.size(), text.size() - bytes);
    EXPECT_EQ(cut, text.substr(0, cut.size()));
  }
}

TEST_F(PromptReader, IsTheSameOnAnyNumberOfRanks) {
  std::string lines;
  for (int i = 0; i < 23; ++i) {
    lines +=
        R"({"input": "Number )" + std::to_string(i * i * i) + R"(?", "output": "Yes."})" + "\n";
  }
  const std::string path = folder_.put("prompts.jsonl", lines);
  for (const int ranks : {1, 2, 5}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const PromptDataset dataset = read_prompts(path, encoder(2048), 0, communicator);
      ASSERT_EQ(dataset.size(), 23);
      for (std::int64_t i = 0; i < 23; ++i) {
        const std::int32_t* ids = dataset.ids_of(i);
        const std::vector<std::int64_t> copy(ids, ids + dataset.size_of(i).tokens);
        ASSERT_NE(text(copy).find("Number " + std::to_string(i * i * i) + "?"), std::string::npos);
        ASSERT_EQ(dataset.name_of(i), path + ":" + std::to_string(i + 1));
      }
    });
  }
}

TEST_F(PromptReader, AnswersThatThePromptShowsAreLabelsOnAnyNumberOfRanks) {
  const text::Tokenizer tokenizer = text::load_tokenizer(text::spaced_answers_json());
  const text::ChatTemplate chat(tokenizer, {});
  const PromptEncoder encoder(chat, 2048, Answer::kRequired, text::ShownAnswers(tokenizer));
  const std::string path = folder_.put("prompts.jsonl",
                                       R"({"input": "Nothing yet: Heat:", "output": "No."}
{"input": "Heat: Yes; Up: No; Alien:", "output": "Yes."}
{"input": "Up: No; Alien:", "output": "Yes."}
)");
  const std::vector<std::string> expected = {"No.<|im_end|>", " Yes NoYes.<|im_end|>",
                                             " NoYes.<|im_end|>"};
  for (const int ranks : {1, 2, 3}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const PromptDataset dataset = read_prompts(path, encoder, 0, communicator);
      for (std::int64_t prompt = 0; prompt < 3; ++prompt) {
        std::vector<std::int64_t> labels;
        for (const std::int64_t i : dataset.labels_of(prompt)) {
          labels.push_back(dataset.ids_of(prompt)[i]);
        }
        ASSERT_EQ(tokenizer.decode(labels), expected[static_cast<std::size_t>(prompt)]);
        ASSERT_EQ(dataset.size_of(prompt).labels, static_cast<std::int64_t>(labels.size()));
      }
    });
  }
}

TEST_F(PromptReader, NamesTheLineOfABadPrompt) {
  const std::string path = folder_.put(
      "prompts.jsonl",
      "{\"input\": \"a\", \"output\": \"Yes.\"}\n{\"input\": \"b\"}\n{\"output\": \"No.\"}\n");
  distributed::run_thread_ranks(1, [&](distributed::Communicator& communicator) {
    expect_error(ExitCode::kBadData, path + ":2",
                 [&] { read_prompts(path, encoder(2048), 0, communicator); });
    EXPECT_EQ(read_prompts(path, encoder(2048), 2, communicator).size(), 1);
    EXPECT_NE(folder_.get("prompts.jsonl.rejects").find(":3"), std::string::npos);
    const std::string empty = folder_.put("empty.jsonl", "\n");
    expect_error(ExitCode::kBadData, empty,
                 [&] { read_prompts(empty, encoder(2048), 0, communicator); });
  });
}

TEST_F(PromptReader, LabelsOfAMicroBatchPointAtTheTokenBefore) {
  PromptDataset dataset("p");
  dataset.add({10, 11, 12, 13}, 2, 1, {1});
  dataset.add({20, 21}, 1, 2);
  const models::llm::MicroBatch batch = make_micro_batch(dataset, {1, 0}, {0, 1});
  EXPECT_EQ(batch.batch.ids, (std::vector<std::int64_t>{20, 21, 10, 11, 12, 13}));
  EXPECT_EQ(batch.batch.offsets, (std::vector<std::int64_t>{0, 2, 6}));
  EXPECT_EQ(batch.samples, (std::vector<std::int64_t>{1, 0}));
  EXPECT_EQ(batch.label_positions, (std::vector<std::int64_t>{0, 2, 3, 4}));
  EXPECT_EQ(batch.label_ids, (std::vector<std::int64_t>{21, 11, 12, 13}));
}

}  // namespace
}  // namespace rallrec::train
