#include "pipeline/text_generator.h"

#include <gtest/gtest.h>

namespace rallrec::pipeline {
namespace {

// 2 layers of 3 heads of 4 values, keys and values in fp32: 192 bytes per token.
models::llm::LlmConfig small_config() {
  models::llm::LlmConfig config;
  config.layers = 2;
  config.kv_heads = 3;
  config.head_dim = 4;
  return config;
}

std::vector<std::vector<std::int64_t>> prompts_of(const std::vector<std::size_t>& lengths) {
  std::vector<std::vector<std::int64_t>> prompts;
  for (const std::size_t length : lengths) {
    prompts.emplace_back(length, 1);
  }
  return prompts;
}

config::DescribeOptions options_of(std::int64_t batch_size, std::int64_t memory_budget) {
  config::DescribeOptions options;
  options.batch_size = batch_size;
  options.memory_budget = memory_budget;
  options.max_new_tokens = 461;
  return options;
}

TEST(BatchEnd, IsAfterSoManyPromptsWhereMemoryAllows) {
  const auto prompts = prompts_of(std::vector<std::size_t>(7, 10));
  EXPECT_EQ(batch_end(options_of(3, 2048), small_config(), prompts, 0), 3U);
  EXPECT_EQ(batch_end(options_of(3, 2048), small_config(), prompts, 6), 7U);
}

// A slot of 5,000 + 461 tokens takes 1,048,512 bytes, just below a MiB.
TEST(BatchEnd, KeepsKeysAndValuesWithinTheBudget) {
  const auto prompts = prompts_of({10, 10, 5000, 10, 10, 10});
  EXPECT_EQ(batch_end(options_of(64, 3), small_config(), prompts, 0), 3U);
  EXPECT_EQ(batch_end(options_of(64, 2), small_config(), prompts, 0), 2U);
  EXPECT_EQ(batch_end(options_of(64, 2), small_config(), prompts, 2), 4U);
  EXPECT_EQ(batch_end(options_of(64, 2), small_config(), prompts, 4), 6U);
  EXPECT_EQ(batch_end(options_of(64, 0), small_config(), prompts, 2), 3U);
}

TEST(WithoutLineBreaks, NothingTakesTheirPlace) {
  EXPECT_EQ(without_line_breaks("A \"b\".\nC"), "A b.C");
  EXPECT_EQ(without_line_breaks("\r\nx</s>y\t z \n"), "xy z");
  EXPECT_EQ(on_one_line("A \"b\".\nC"), "A \"b\". C");
}

}  // namespace
}  // namespace rallrec::pipeline
