#include "text/shown_answers.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/text/edited_tokenizer.h"

namespace rallrec::text {
namespace {

using rallrec::testing::expect_error;

TEST(ShownAnswers, AreTheWordsAfterAColon) {
  const Tokenizer tokenizer = load_tokenizer(spaced_answers_json());
  const ShownAnswers shown(tokenizer);
  const std::string text = "Yes or No?\nHeat: Yes; Dr. No: No; Say Yes; Alien:";
  const std::vector<std::int64_t> ids = tokenizer.encode(text);
  const std::vector<std::int64_t> found = shown.find(ids, static_cast<std::int64_t>(ids.size()));
  std::vector<std::string> before;
  for (const std::int64_t i : found) {
    before.push_back(tokenizer.decode({ids.begin(), ids.begin() + i + 1}));
  }
  EXPECT_EQ(before, (std::vector<std::string>{"Yes or No?\nHeat: Yes",
                                              "Yes or No?\nHeat: Yes; Dr. No: No"}));
  EXPECT_EQ(shown.find(ids, found[1]).size(), 1U) << "the answer's place is not looked at";
  EXPECT_TRUE(shown.find(tokenizer.encode(" Yes"), 1).empty());
  EXPECT_TRUE(shown.find({}, 0).empty());
}

TEST(ShownAnswers, AreWholeEntries) {
  const Tokenizer tokenizer = load_tokenizer(spaced_answers_json());
  const ShownAnswers shown(tokenizer);
  const auto count = [&](const std::string& text) {
    const std::vector<std::int64_t> ids = tokenizer.encode(text);
    return shown.find(ids, static_cast<std::int64_t>(ids.size())).size();
  };
  EXPECT_EQ(count("Best of the Best 3: No Turning Back: Yes; Up: No"), 2U);
  EXPECT_EQ(count("Question: Yes or No?"), 0U);
  EXPECT_EQ(count("Heat: Yes\nUp: No, Alien: Yes."), 3U);
}

TEST(ShownAnswers, AWordOfSeveralTokensIsRefused) {
  const Tokenizer tokenizer = Tokenizer::load(tiny_tokenizer());
  expect_error(ExitCode::kUsage, "tune.shown_answers", [&] { ShownAnswers unused(tokenizer); });
}

}  // namespace
}  // namespace rallrec::text
