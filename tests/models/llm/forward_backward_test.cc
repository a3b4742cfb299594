#include <gtest/gtest.h>

#include "models/llm/kept_bytes.h"
#include "tests/models/llm/reference_model.h"

namespace rallrec::models::llm {
namespace {

constexpr DropoutKey kKey{3, 2};

struct Case {
  const char* name;
  LlmConfig config;
  LoraOptions lora;
};

std::vector<Case> cases() {
  const LoraOptions two{3, 6.0, 0.25, {"q_proj", "v_proj"}};
  const LoraOptions all{
      2, 5.0, 0.4, {"v_proj", "down_proj", "q_proj", "k_proj", "o_proj", "gate_proj", "up_proj"}};
  LlmConfig tied = tiny_config();
  tied.tied_embeddings = true;
  tied.kv_heads = 6;
  LlmConfig wide_heads = tiny_config();
  wide_heads.head_dim = 10;
  wide_heads.kv_heads = 1;
  LlmConfig scaled = tiny_config();
  scaled.head_dim = 16;
  scaled.rope_scaling = {8.0, 1.0, 4.0, 16};
  return {{"GroupedUntied", tiny_config(), two},
          {"Tied", tied, two},
          {"ExplicitHeadDim", wide_heads, all},
          {"RopeScaling", scaled, {4, 8.0, 0.0, {"q_proj", "v_proj"}}},
          {"AllModules", tiny_config(), all},
          {"MlpOnly", tiny_config(), {2, 2.0, 0.1, {"gate_proj", "down_proj"}}},
          {"OutputOnly", tiny_config(), {2, 2.0, 0.1, {"o_proj"}}}};
}

// Three sequences of odd lengths, one of a single token, each with labels on its last positions.
MicroBatch make_micro_batch(const LlmConfig& config, std::uint64_t stream,
                            std::vector<std::int64_t> lengths = {17, 1, 52}) {
  MicroBatch micro_batch;
  std::vector<std::vector<std::int64_t>> sequences;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    sequences.push_back(random_ids(lengths[s], config.vocab_size, stream * 10 + s));
    micro_batch.samples.push_back(std::int64_t(stream * 100 + s * 7));
  }
  micro_batch.batch = pack(sequences);
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    const std::int64_t end = micro_batch.batch.offsets[s + 1];
    for (std::int64_t i = std::max(end - 3, micro_batch.batch.offsets[s]); i < end; ++i) {
      micro_batch.label_positions.push_back(i);
    }
  }
  micro_batch.label_ids = random_ids(std::int64_t(micro_batch.label_positions.size()),
                                     config.vocab_size, stream * 10 + 9);
  return micro_batch;
}

// A sequence each with one label, two, none, many and one on its second row; and labels on all
// rows.
std::vector<MicroBatch> label_kinds(const LlmConfig& config) {
  const MicroBatch base = make_micro_batch(config, 5, {9, 14, 6, 60, 8});
  std::vector<std::int64_t> some = {8, 12, 22, 89};
  for (std::int64_t i = 32; i < 88; ++i) {
    some.push_back(i);
  }
  std::sort(some.begin(), some.end());
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < base.batch.tokens(); ++i) {
    all.push_back(i);
  }
  std::vector<MicroBatch> kinds;
  for (const auto& positions : {some, all}) {
    kinds.push_back(base);
    kinds.back().label_positions = positions;
    kinds.back().label_ids = random_ids(std::int64_t(positions.size()), config.vocab_size, 77);
  }
  return kinds;
}

// Losses and the LoRA gradient of their sum by autograd in double.
struct Expected {
  std::vector<double> losses;
  at::Tensor gradient;
};

Expected reference(const TinyModel& model, const MicroBatch& micro_batch,
                   const LoraAdapter& adapter, bool drops) {
  at::Tensor lora = adapter.flat().to(at::kDouble).detach().requires_grad_();
  Expected expected;
  at::Tensor total = at::zeros({}, at::kDouble);
  for (std::int64_t s = 0; s < micro_batch.batch.sequences(); ++s) {
    const std::int64_t begin = micro_batch.batch.offsets[std::size_t(s)];
    const std::int64_t end = micro_batch.batch.offsets[std::size_t(s) + 1];
    const std::vector<std::int64_t> ids(micro_batch.batch.ids.begin() + begin,
                                        micro_batch.batch.ids.begin() + end);
    const double rate = adapter.options().dropout;
    MaskSource mask;
    if (drops && rate > 0.0) {
      mask = [&](std::int64_t layer, Linear linear, std::int64_t channels) {
        return reference_mask(kKey, rate, micro_batch.samples[std::size_t(s)], end - begin, layer,
                              linear, channels);
      };
    }
    const at::Tensor logits =
        reference_logits(model, reference_hidden(model, ids, &adapter, lora, mask));
    for (std::size_t i = 0; i < micro_batch.label_ids.size(); ++i) {
      const std::int64_t position = micro_batch.label_positions[i];
      if (position >= begin && position < end) {
        const at::Tensor loss = -logits[position - begin].log_softmax(0)[micro_batch.label_ids[i]];
        expected.losses.push_back(loss.item<double>());
        total = total + loss;
      }
    }
  }
  total.backward();
  expected.gradient = lora.grad();
  return expected;
}

// Losses and each matrix of the adapter's gradient, dropout on.
void expect_autograd(const TinyModel& model, const LoraAdapter& adapter, const Expected& expected,
                     const MicroBatchResult& result) {
  ASSERT_EQ(result.label_losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < expected.losses.size(); ++i) {
    EXPECT_NEAR(result.label_losses[i], expected.losses[i], 2e-5);
  }
  for (std::int64_t layer = 0; layer < model.config.layers; ++layer) {
    for (const std::string& module : adapter.options().modules) {
      for (bool is_b : {false, true}) {
        const auto view = [&](const at::Tensor& flat) {
          return is_b ? lora_b(adapter.layout(), flat, layer, linear_named(module))
                      : lora_a(adapter.layout(), flat, layer, linear_named(module));
        };
        const at::Tensor want = view(expected.gradient) * 0.5;
        const at::Tensor have = view(result.gradient).to(at::kDouble);
        EXPECT_GT(want.norm().item<double>(), 1e-6);
        EXPECT_LT((have - want).norm().item<double>(), 2e-5 * want.norm().item<double>())
            << "layer " << layer << " " << module << (is_b ? " B" : " A");
      }
    }
  }
}

class ForwardBackward : public testing::TestWithParam<int> {};

TEST_P(ForwardBackward, EqualsAutogradInDouble) {
  const Case c = cases()[std::size_t(GetParam())];
  const TinyModel model = make_tiny(c.config);
  const LoraAdapter adapter = make_adapter(c.config, c.lora);
  const MicroBatch micro_batch = make_micro_batch(c.config, 1);
  const auto results = model.load()->forward_backward({micro_batch}, adapter, kKey, 0.5);
  ASSERT_EQ(results.size(), 1U);
  expect_autograd(model, adapter, reference(model, micro_batch, adapter, true), results[0]);
}

// Every case with labels in other rows, also in a model whose only layer is the last and the first
// at once; all activations kept or computed again.
TEST_P(ForwardBackward, EqualsAutogradWhicheverRowsHaveLabels) {
  Case c = cases()[std::size_t(GetParam())];
  for (const std::int64_t layers : {1, 2}) {
    c.config.layers = layers;
    const TinyModel model = make_tiny(c.config);
    const LoraAdapter adapter = make_adapter(c.config, c.lora);
    const auto lm = model.load();
    for (const MicroBatch& micro_batch : label_kinds(c.config)) {
      const Expected expected = reference(model, micro_batch, adapter, true);
      for (const std::int64_t kept : {std::int64_t{1} << 30, std::int64_t{1}}) {
        lm->set_kept_bytes(kept);
        const auto results = lm->forward_backward({micro_batch}, adapter, kKey, 0.5);
        expect_autograd(model, adapter, expected, results.at(0));
      }
    }
  }
}

TEST_P(ForwardBackward, HiddenStatesAndLossesWithoutDropoutEqualTheReference) {
  const Case c = cases()[std::size_t(GetParam())];
  const TinyModel model = make_tiny(c.config);
  const LoraAdapter adapter = make_adapter(c.config, c.lora);
  const MicroBatch micro_batch = make_micro_batch(c.config, 2);
  const auto lm = model.load();
  const Expected expected = reference(model, micro_batch, adapter, false);
  const auto losses = lm->label_losses({micro_batch}, &adapter).at(0);
  ASSERT_EQ(losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    EXPECT_NEAR(losses[i], expected.losses[i], 2e-5);
  }
  const at::Tensor hidden = lm->hidden_states(micro_batch.batch, nullptr);
  const auto ids = random_ids(17, c.config.vocab_size, 20);
  const at::Tensor want = reference_hidden(model, ids, nullptr, {}, {});
  EXPECT_LT((hidden.narrow(0, 0, 17) - want).abs().max().item<double>(), 2e-5);
  EXPECT_LT((lm->logits(hidden.narrow(0, 0, 17)) - reference_logits(model, want))
                .abs()
                .max()
                .item<double>(),
            1e-4);
}

TEST_P(ForwardBackward, ASharedPrefixGivesTheStatesOfWholeSequences) {
  const Case c = cases()[std::size_t(GetParam())];
  const TinyModel model = make_tiny(c.config);
  const LoraAdapter adapter = make_adapter(c.config, c.lora);
  const auto lm = model.load();
  const auto prefix = random_ids(19, c.config.vocab_size, 1);
  PackedBatch shared = pack({prefix});
  shared.first_is_prefix = true;
  std::vector<std::vector<std::int64_t>> wholes;
  for (const std::int64_t own : {1, 33, 2, 16}) {
    const auto ids = random_ids(own, c.config.vocab_size, std::uint64_t(10 + own));
    shared.ids.insert(shared.ids.end(), ids.begin(), ids.end());
    shared.offsets.push_back(shared.tokens());
    wholes.push_back(prefix);
    wholes.back().insert(wholes.back().end(), ids.begin(), ids.end());
  }
  const at::Tensor states = lm->hidden_states(shared, &adapter);
  for (std::size_t s = 0; s < wholes.size(); ++s) {
    const at::Tensor whole = lm->hidden_states(pack({wholes[s]}), &adapter);
    const std::int64_t begin = shared.offsets[s + 1];
    const std::int64_t own = shared.offsets[s + 2] - begin;
    EXPECT_LT((states.narrow(0, begin, own) - whole.narrow(0, 19, own)).abs().max().item<float>(),
              2e-5F);
  }
  const std::vector<std::int64_t> places = {5, 18, 19, 20, 52, states.size(0) - 1};
  const at::Tensor chosen = lm->hidden_states_at(shared, places, &adapter);
  EXPECT_LT(
      (chosen - states.index_select(0, at::tensor(places, at::kLong))).abs().max().item<float>(),
      2e-5F);
  EXPECT_LT((states.narrow(0, 0, 19) - lm->hidden_states(pack({prefix}), &adapter))
                .abs()
                .max()
                .item<float>(),
            2e-5F);
}

INSTANTIATE_TEST_SUITE_P(Cases, ForwardBackward, testing::Range(0, int(cases().size())),
                         [](const auto& info) { return cases()[std::size_t(info.param)].name; });

TEST(ForwardBackwardBits, DoNotDependOnNeighboursOrWaves) {
  const LlmConfig config = tiny_config();
  const TinyModel model = make_tiny(config);
  const LoraAdapter adapter = make_adapter(config, {3, 6.0, 0.25, {"q_proj", "v_proj"}});
  const std::vector<MicroBatch> all = {make_micro_batch(config, 1, {5, 40}),
                                       make_micro_batch(config, 2, {33}),
                                       make_micro_batch(config, 3, {2, 7, 64})};
  const auto lm = model.load();
  const auto together = lm->forward_backward(all, adapter, kKey, 1.0);
  // Waves of one or two micro-batches, and of single ones that compute their layers again.
  lm->set_kept_bytes(kept_bytes(config, adapter.options(), {78, 78}, false));
  const auto in_waves = lm->forward_backward(all, adapter, kKey, 1.0);
  lm->set_kept_bytes(1);
  const auto again = lm->forward_backward(all, adapter, kKey, 1.0);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto alone = lm->forward_backward({all[i]}, adapter, kKey, 1.0);
    EXPECT_TRUE(at::equal(together[i].gradient, alone[0].gradient));
    EXPECT_TRUE(at::equal(together[i].gradient, in_waves[i].gradient));
    EXPECT_TRUE(at::equal(together[i].gradient, again[i].gradient));
    EXPECT_EQ(together[i].label_losses, alone[0].label_losses);
  }
  EXPECT_TRUE(lm->forward_backward({}, adapter, kKey, 1.0).empty());
}

TEST(ForwardBackwardBits, DropoutFollowsTheSampleNotThePacking) {
  const LlmConfig config = tiny_config();
  const TinyModel model = make_tiny(config);
  const LoraAdapter adapter = make_adapter(config, {3, 6.0, 0.25, {"q_proj", "v_proj"}});
  const auto lm = model.load();
  const MicroBatch pair = make_micro_batch(config, 4, {12, 21});
  MicroBatch second;
  second.batch = pack({{pair.batch.ids.begin() + 12, pair.batch.ids.end()}});
  second.samples = {pair.samples[1]};
  second.label_positions = {18, 19, 20};
  second.label_ids = {pair.label_ids.end() - 3, pair.label_ids.end()};
  const auto packed = lm->forward_backward({pair}, adapter, kKey, 1.0)[0].label_losses;
  const auto alone = lm->forward_backward({second}, adapter, kKey, 1.0)[0].label_losses;
  const auto other_epoch =
      lm->forward_backward({second}, adapter, {kKey.seed, 9}, 1.0)[0].label_losses;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(packed[3 + i], alone[i], 1e-5);
    EXPECT_GT(std::abs(other_epoch[i] - alone[i]), 1e-4);
  }
}

TEST(Bfloat16, FollowsFloat32) {
  const TinyModel model = make_tiny(tiny_config());
  const PackedBatch batch = pack({random_ids(30, 53, 1)});
  const at::Tensor full = model.load()->hidden_states(batch, nullptr);
  const auto lm = model.load(QuantMode::kBfloat16);
  EXPECT_EQ(lm->quant(), "bf16");
  const at::Tensor half = lm->hidden_states(batch, nullptr);
  EXPECT_GT(at::cosine_similarity(full, half, 1).min().item<float>(), 0.99F);
  EXPECT_GT((full - half).abs().max().item<float>(), 1e-5F);
}

}  // namespace
}  // namespace rallrec::models::llm
