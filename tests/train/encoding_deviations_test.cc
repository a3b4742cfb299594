// What the authors' public code does otherwise with training prompts.
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>

#include "io/jsonl.h"
#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_paths.h"
#include "text/tokenizer.h"
#include "train/prompt_dataset.h"
#include "train/prompt_encoder.h"

namespace rallrec::train {
namespace {

using Ids = std::vector<std::int64_t>;

// Llama-3's frame: begin, …, assistant's header, the blank line 271; the answer Yes. (9642 13).
EncodedPrompt framed() { return {{128000, 128006, 9125, 128007, 271, 9642, 13}, 5, {}, false}; }

TEST(Deviate, DoubleBosGivesTheTrainingPromptASecondBeginToken) {
  EncodedPrompt prompt = framed();
  deviate({true, false, false}, 2048, 128000, prompt);
  EXPECT_EQ(prompt.ids, (Ids{128000, 128000, 128006, 9125, 128007, 271, 9642, 13}));
  EXPECT_EQ(prompt.first_label, 6);
  EncodedPrompt none = framed();
  deviate({true, false, false}, 2048, std::nullopt, none);
  EXPECT_EQ(none.ids, framed().ids);
}

TEST(Deviate, TheNewlineBeforeTheAnswerBecomesALabel) {
  EncodedPrompt prompt = framed();
  deviate({true, true, false}, 2048, 128000, prompt);
  PromptDataset dataset("made up");
  dataset.add(prompt.ids, prompt.first_label, 1, prompt.shown);
  Ids labels;
  for (const std::int64_t place : dataset.labels_of(0)) {
    labels.push_back(prompt.ids[static_cast<std::size_t>(place)]);
  }
  EXPECT_EQ(labels, (Ids{271, 9642, 13}));
  // Losses .001, .6, .001 of the three are reported as .2007, not as the word's .6.
  EXPECT_NEAR((.001 + .6 + .001) / static_cast<double>(labels.size()), .2007, 1e-4);
}

TEST(Deviate, RightTruncationLeavesALongPromptWithoutALabel) {
  EncodedPrompt prompt;
  prompt.ids.resize(2100);
  std::iota(prompt.ids.begin(), prompt.ids.end(), 0);
  prompt.first_label = 2097;
  prompt.shown = {100, 2050};
  deviate({false, true, true}, 2048, std::nullopt, prompt);
  EXPECT_EQ(prompt.ids.size(), 2048U);
  EXPECT_EQ(prompt.ids.back(), 2047);
  EXPECT_EQ(prompt.first_label, 2048);
  EXPECT_EQ(prompt.shown, (Ids{100}));
  EXPECT_TRUE(prompt.shortened);
  EncodedPrompt fits = framed();
  deviate({false, false, true}, 7, std::nullopt, fits);
  EXPECT_EQ(fits.ids, framed().ids);
  EXPECT_FALSE(fits.shortened);
}

TEST(Deviate, NothingIsChangedWithoutDeviations) {
  EncodedPrompt prompt = framed();
  deviate({}, 3, 128000, prompt);
  EXPECT_EQ(prompt.ids, framed().ids);
  EXPECT_EQ(prompt.first_label, 5);
  EXPECT_TRUE(prompt.shown.empty());
}

// The encoder neither shortens nor ends what the code does not.
TEST(PromptEncoding, CutsAtTheEndWhereDeviationsSaySo) {
  const rallrec::testing::TemporaryFolder folder;
  const text::Tokenizer tokenizer =
      text::Tokenizer::load(RALLREC_SOURCE_DIR "/tests/fixtures/tiny_tokenizer");
  const text::ChatTemplate chat(tokenizer, {});
  const auto required = PromptEncoder::Answer::kRequired;
  io::JsonlFile file(folder.put(
      "p.jsonl", R"({"input": ")" + std::string(300, 'x') + R"(", "output": "Yes."})" + "\n"));
  const EncodedPrompt whole = PromptEncoder(chat, 1 << 30, required).encode(file.read(0));
  const EncodedPrompt cut =
      PromptEncoder(chat, 40, required, std::nullopt, {false, false, true}).encode(file.read(0));
  EXPECT_EQ(cut.ids, (Ids{whole.ids.begin(), whole.ids.begin() + 40}));
  EXPECT_EQ(cut.first_label, 40);
}

TEST(ChatTemplate, LeavesTheEndOfTurnOutWhereAsked) {
  if (!std::filesystem::exists(text::llama3_tokenizer())) {
    GTEST_SKIP() << text::llama3_tokenizer() << " is not there";
  }
  const text::Tokenizer tokenizer = text::Tokenizer::load(text::llama3_tokenizer());
  EXPECT_EQ(text::ChatTemplate(tokenizer, {}).answer_ids("Yes."), (Ids{9642, 13, 128009}));
  text::ChatOptions options;
  options.end_of_turn = false;
  EXPECT_EQ(text::ChatTemplate(tokenizer, options).answer_ids("Yes."), (Ids{9642, 13}));
  EXPECT_EQ(text::ChatTemplate(tokenizer, options).begin_token(), 128000);
}

}  // namespace
}  // namespace rallrec::train
