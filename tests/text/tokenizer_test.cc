#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "io/utf8.h"
#include "tests/text/tokenizer_paths.h"

namespace rallrec::text {
namespace {

using Ids = std::vector<std::int64_t>;

struct GoldenCase {
  const char* name;
  std::string (*folder)();
};

class TokenizerGolden : public testing::TestWithParam<GoldenCase> {};

TEST_P(TokenizerGolden, GivesTheIdsOfTheReference) {
  const std::string folder = GetParam().folder();
  if (!std::filesystem::exists(folder + "/tokenizer.json")) {
    std::cout << "SKIPPED: " << folder << "/tokenizer.json is not here\n";
    GTEST_SKIP();
  }
  const Tokenizer tokenizer = Tokenizer::load(folder);
  std::ifstream golden(source_dir() + "/tests/golden/tokenizer_" + GetParam().name + ".jsonl");
  std::size_t lines = 0;
  for (std::string line; std::getline(golden, line); ++lines) {
    const auto expected = nlohmann::json::parse(line);
    const std::string text = expected["text"];
    const Ids ids = expected["ids"];
    ASSERT_EQ(tokenizer.encode(text), ids) << line;
    const std::string decoded =
        expected["decoded"].is_null() ? text : expected["decoded"].get<std::string>();
    ASSERT_EQ(io::repair_utf8(tokenizer.decode(ids)), decoded) << line;
  }
  EXPECT_GT(lines, 500U);
}

INSTANTIATE_TEST_SUITE_P(Families, TokenizerGolden,
                         testing::Values(GoldenCase{"tiny", tiny_tokenizer},
                                         GoldenCase{"llama3", llama3_tokenizer},
                                         GoldenCase{"smollm2", smollm2_tokenizer}),
                         [](const auto& info) { return std::string(info.param.name); });

class TinyTokenizer : public testing::Test {
 protected:
  const Tokenizer tokenizer_ = Tokenizer::load(tiny_tokenizer());
};

TEST_F(TinyTokenizer, AppendsToWhatIsThere) {
  Ids ids = {7};
  tokenizer_.encode("Yes", ids);
  ASSERT_EQ(ids.size(), 2U);
  EXPECT_EQ(ids[0], 7);
  EXPECT_EQ(tokenizer_.decode({ids[1]}), "Yes");
}

TEST_F(TinyTokenizer, NeverMakesASpecialTokenFromText) {
  const Ids ids = tokenizer_.encode("<|im_end|><|im_start|><|endoftext|>");
  for (const std::int64_t id : ids) {
    EXPECT_GE(id, 3);
  }
  EXPECT_EQ(tokenizer_.decode(ids), "<|im_end|><|im_start|><|endoftext|>");
}

TEST_F(TinyTokenizer, KnowsSpecialTokensByName) {
  EXPECT_EQ(tokenizer_.special_id("<|im_start|>"), 1);
  EXPECT_EQ(tokenizer_.special_id("<|eot_id|>"), std::nullopt);
  EXPECT_EQ(tokenizer_.special_id("Yes"), std::nullopt);
  EXPECT_FALSE(tokenizer_.adds_bos());
  EXPECT_EQ(tokenizer_.decode({1, 2}), "<|im_start|><|im_end|>");
  EXPECT_EQ(tokenizer_.vocab_size(), 3 + 256 + 33);
}

TEST_F(TinyTokenizer, RefusesIdsThatDoNotExist) {
  EXPECT_THROW(tokenizer_.decode({-1}), Error);
  EXPECT_THROW(tokenizer_.decode({tokenizer_.vocab_size()}), Error);
}

TEST_F(TinyTokenizer, RefusesBrokenUtf8AndOverlongText) {
  EXPECT_THROW(tokenizer_.encode("\xff"), Error);
  EXPECT_THROW(tokenizer_.encode("\xed\xa0\x80"), Error);
  EXPECT_NO_THROW(tokenizer_.encode(std::string(kMaxTextBytes, 'a')));
  EXPECT_THROW(tokenizer_.encode(std::string(kMaxTextBytes + 1, 'a')), Error);
}

// A run as long as the cap merges pairwise all the way; a quadratic merger would take minutes.
TEST_F(TinyTokenizer, MergesALongRun) {
  const Ids ids = tokenizer_.encode(std::string(kMaxTextBytes, 'a'));
  EXPECT_EQ(ids.size(), kMaxTextBytes / 8);
  EXPECT_EQ(tokenizer_.decode({ids[0]}), "aaaaaaaa");
  EXPECT_EQ(tokenizer_.encode(std::string(9, 'a')).size(), 2U);
}

TEST_F(TinyTokenizer, GivesTheSameIdsOnEveryThread) {
  const Tokenizer other = Tokenizer::load(tiny_tokenizer());
  const std::string text = "the movie stars  aaaa like 123 é Yes";
  const Ids expected = tokenizer_.encode(text);
  std::vector<std::thread> threads;
  std::vector<int> equal(4, 0);
  for (std::size_t t = 0; t < equal.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        equal[t] += (i % 2 == 0 ? tokenizer_ : other).encode(text) == expected ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(equal, std::vector<int>(4, 200));
}

TEST(Llama3Tokenizer, KnowsItsLabelWordsAndBos) {
  if (!std::filesystem::exists(llama3_tokenizer() + "/tokenizer.json")) {
    std::cout << "SKIPPED: " << llama3_tokenizer() << "/tokenizer.json is not here\n";
    GTEST_SKIP();
  }
  const Tokenizer tokenizer = Tokenizer::load(llama3_tokenizer());
  EXPECT_EQ(tokenizer.encode("Yes."), (Ids{9642, 13}));
  EXPECT_EQ(tokenizer.encode("No."), (Ids{2822, 13}));
  EXPECT_EQ(tokenizer.encode("\n\n"), (Ids{271}));
  EXPECT_EQ(tokenizer.bos_id(), 128000);
  EXPECT_EQ(tokenizer.special_id("<|eot_id|>"), 128009);
  EXPECT_EQ(tokenizer.vocab_size(), 128256);
}

}  // namespace
}  // namespace rallrec::text
