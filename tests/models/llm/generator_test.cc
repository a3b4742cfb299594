#include <gtest/gtest.h>

#include <set>

#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

std::vector<std::int64_t> joined(std::vector<std::int64_t> a, const std::vector<std::int64_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Prompts of different lengths; the first `shared` ids are common to all.
std::vector<GenerationPrompt> make_prompts(std::int64_t shared, std::vector<std::int64_t> lengths) {
  std::vector<GenerationPrompt> prompts;
  const auto start = random_ids(shared, 53, 90);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    prompts.push_back({joined(start, random_ids(lengths[i], 53, 100 + i)), 40 + i});
  }
  return prompts;
}

// Greedy decoding without any cache: the whole text goes through the model for every token.
std::vector<std::int64_t> greedy(CausalLm& lm, std::vector<std::int64_t> ids, std::int64_t count,
                                 const std::set<std::int64_t>& stops, const LoraAdapter* adapter) {
  std::vector<std::int64_t> text;
  while (std::int64_t(text.size()) < count) {
    const at::Tensor hidden = lm.hidden_states(pack({ids}), adapter);
    const at::Tensor logits = lm.logits(hidden.narrow(0, hidden.size(0) - 1, 1));
    const auto id = logits.argmax(1).item<std::int64_t>();
    if (stops.count(id) != 0) {
      break;
    }
    text.push_back(id);
    ids.push_back(id);
  }
  return text;
}

class Generation : public testing::TestWithParam<std::int64_t> {};

TEST_P(Generation, GreedyEqualsDecodingWithoutCache) {
  const TinyModel model = make_tiny(tiny_config());
  const auto lm = model.load();
  const LoraAdapter adapter = make_adapter(model.config, {3, 6.0, 0.0, {"q_proj", "v_proj"}});
  const auto prompts = make_prompts(GetParam(), {1, 9, 4, 30});
  GenerationOptions options;
  options.max_new_tokens = 12;
  options.stop_ids = {7, 11, 3, 20, 41};
  for (const LoraAdapter* used : {static_cast<const LoraAdapter*>(nullptr), &adapter}) {
    const auto texts = lm->generate(prompts, options, used);
    std::size_t stopped = 0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(texts[i], greedy(*lm, prompts[i].ids, 12, {7, 11, 3, 20, 41}, used));
      stopped += texts[i].size() < 12;
    }
    EXPECT_LT(stopped, prompts.size());
  }
}

INSTANTIATE_TEST_SUITE_P(SharedStart, Generation, testing::Values(0, 1, 25));

TEST(GenerationEdges, EqualPromptsAndEmptyCalls) {
  const TinyModel model = make_tiny(tiny_config());
  const auto lm = model.load();
  GenerationOptions options;
  options.max_new_tokens = 5;
  const GenerationPrompt prompt{random_ids(6, 53, 1), 0};
  const auto texts = lm->generate({prompt, prompt}, options, nullptr);
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], greedy(*lm, prompt.ids, 5, {}, nullptr));
  EXPECT_TRUE(lm->generate({}, options, nullptr).empty());
  options.max_new_tokens = 0;
  EXPECT_TRUE(lm->generate({prompt}, options, nullptr).at(0).empty());
}

TEST(GenerationEdges, IdsBeyondTheVocabularyAreNeverChosen) {
  const TinyModel model = make_tiny(tiny_config());
  const auto lm = model.load();
  GenerationOptions options;
  options.max_new_tokens = 40;
  options.temperature = 5.0;
  const auto largest = [&] {
    const auto text = lm->generate({{{1, 2}, 0}}, options, nullptr).at(0);
    return *std::max_element(text.begin(), text.end());
  };
  EXPECT_GE(largest(), 20);
  options.vocabulary = 20;
  EXPECT_LT(largest(), 20);
}

TEST(Sampling, IsKeyedByPromptAndSeedAndKeepsToTheNucleus) {
  const TinyModel model = make_tiny(tiny_config());
  const auto lm = model.load();
  GenerationOptions options;
  options.max_new_tokens = 20;
  options.temperature = 1.0;
  options.seed = 3;
  const auto ids = random_ids(6, 53, 1);
  const auto first = lm->generate({{ids, 0}, {ids, 1}}, options, nullptr);
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(lm->generate({{ids, 1}}, options, nullptr)[0], first[1]);
  options.seed = 4;
  EXPECT_NE(lm->generate({{ids, 1}}, options, nullptr)[0], first[1]);
  options.top_p = 1e-9;
  EXPECT_EQ(lm->generate({{ids, 1}}, options, nullptr)[0], greedy(*lm, ids, 20, {}, nullptr));
}

}  // namespace
}  // namespace rallrec::models::llm
