#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <vector>

#include "core/rng.h"
#include "models/llm/causal_lm.h"
#include "train/prompt_dataset.h"

namespace rallrec::train {

inline models::llm::LlmConfig fake_config() {
  models::llm::LlmConfig config;
  config.hidden_size = 4;
  config.intermediate_size = 8;
  config.layers = 2;
  config.heads = 2;
  config.kv_heads = 1;
  config.head_dim = 2;
  config.vocab_size = 64;
  return config;
}

// A model with a closed form: a label y after token x costs ½ (w[(7x + y) mod P] − (y + 1) / 8)²,
// where w are the adapter's P parameters; dropout adds noise that depends on (epoch, sample). Exact
// gradients, so tests can compare with a sum in double.
class FakeCausalLm : public models::llm::CausalLm {
 public:
  FakeCausalLm() : config_(fake_config()) {}

  // Prompts whose loss shall be NaN.
  std::set<std::int64_t> broken_prompts;
  // Rows that hidden_states has computed.
  std::int64_t computed_tokens = 0;
  // Called at the start of each forward_backward.
  std::function<void()> on_step = [] {};
  // What a fault makes of a micro-batch's result.
  std::function<void(const models::llm::MicroBatch&, models::llm::MicroBatchResult&)> fault =
      [](const models::llm::MicroBatch&, models::llm::MicroBatchResult&) {};

  static std::int64_t slot(std::int64_t x, std::int64_t y, std::int64_t parameters) {
    return (7 * x + y) % parameters;
  }
  static double target(std::int64_t y) { return static_cast<double>(y + 1) / 8.0; }
  static double noise(std::uint64_t epoch, std::int64_t sample) {
    return 0.01 * static_cast<double>((3 * epoch + static_cast<std::uint64_t>(sample)) % 5);
  }

  const models::llm::LlmConfig& config() const override { return config_; }
  std::string quant() const override { return "fake"; }
  at::Tensor hidden_states(const models::llm::PackedBatch& batch,
                           const models::llm::LoraAdapter*) override {
    at::Tensor states = at::zeros({batch.tokens(), 2}, at::kFloat);
    float prefix = 0.0F;
    for (std::int64_t s = 0; s < batch.sequences(); ++s) {
      float sum = prefix;
      for (std::int64_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
        sum += static_cast<float>(batch.ids[i]);
        states[i][0] = 0.01F * sum;
        states[i][1] = 1.0F;
      }
      prefix = batch.first_is_prefix && s == 0 ? sum : prefix;
    }
    computed_tokens += batch.tokens();
    return states;
  }
  at::Tensor pooled_states(const models::llm::PackedBatch&, kernels::Pooling,
                           const models::llm::LoraAdapter*) override {
    return {};
  }
  at::Tensor logits(const at::Tensor& rows) override {
    const at::Tensor ids = at::arange(config_.vocab_size, at::kFloat);
    return at::sin(rows.select(1, 0).unsqueeze(1) * (ids + 1.0)).contiguous();
  }
  at::Tensor logits_of(const at::Tensor& rows, const std::vector<std::int64_t>& ids) override {
    return logits(rows).index_select(1, at::tensor(ids, at::kLong));
  }

  using CausalLm::forward_backward;
  void forward_backward(const std::vector<models::llm::MicroBatch>& micro_batches,
                        const models::llm::LoraAdapter& adapter, models::llm::DropoutKey key,
                        double loss_scale,
                        const std::function<void(models::llm::MicroBatchResult)>& take) override {
    on_step();
    for (const auto& one : micro_batches) {
      models::llm::MicroBatchResult result;
      result.gradient = at::zeros_like(adapter.flat());
      result.label_losses =
          losses(one, adapter, key, loss_scale, result.gradient.mutable_data_ptr<float>());
      fault(one, result);
      take(std::move(result));
    }
  }

  std::vector<std::vector<float>> label_losses(
      const std::vector<models::llm::MicroBatch>& micro_batches,
      const models::llm::LoraAdapter* adapter) override {
    std::vector<std::vector<float>> all;
    for (const auto& one : micro_batches) {
      all.push_back(losses(one, *adapter, {0, 0}, 0.0, nullptr));
    }
    return all;
  }

  std::vector<std::vector<std::int64_t>> generate(const std::vector<models::llm::GenerationPrompt>&,
                                                  const models::llm::GenerationOptions&,
                                                  const models::llm::LoraAdapter*) override {
    return {};
  }

 private:
  std::vector<float> losses(const models::llm::MicroBatch& one,
                            const models::llm::LoraAdapter& adapter, models::llm::DropoutKey key,
                            double scale, float* gradient) const {
    const std::int64_t parameters = adapter.flat().numel();
    const float* w = adapter.flat().const_data_ptr<float>();
    std::vector<float> result;
    std::size_t sequence = 0;
    for (std::size_t i = 0; i < one.label_ids.size(); ++i) {
      while (one.label_positions[i] >= one.batch.offsets[sequence + 1]) {
        ++sequence;
      }
      const std::int64_t sample = one.samples[sequence];
      const std::int64_t at =
          slot(one.batch.ids[one.label_positions[i]], one.label_ids[i], parameters);
      const double difference =
          w[at] - target(one.label_ids[i]) + (gradient != nullptr ? noise(key.epoch, sample) : 0.0);
      const bool broken = broken_prompts.count(sample) > 0;
      result.push_back(broken ? std::numeric_limits<float>::quiet_NaN()
                              : static_cast<float>(0.5 * difference * difference));
      if (gradient != nullptr) {
        gradient[at] += broken ? std::numeric_limits<float>::quiet_NaN()
                               : static_cast<float>(difference * scale);
      }
    }
    return result;
  }

  models::llm::LlmConfig config_;
};

// Prompts of different lengths with one to three labels.
// With `shown`, every third token before the answer is a label too.
inline PromptDataset fake_dataset(std::int64_t prompts, std::uint64_t seed = 9,
                                  bool shown = false) {
  PromptDataset dataset("prompts.jsonl");
  Rng rng(seed);
  for (std::int64_t i = 0; i < prompts; ++i) {
    const auto labels = 1 + static_cast<std::int64_t>(rng.next_below(3));
    const auto tokens = labels + 1 + static_cast<std::int64_t>(rng.next_below(30));
    std::vector<std::int64_t> ids;
    for (std::int64_t t = 0; t < tokens; ++t) {
      ids.push_back(static_cast<std::int64_t>(rng.next_below(64)));
    }
    std::vector<std::int64_t> positions;
    for (std::int64_t t = 1; shown && t < tokens - labels; t += 3) {
      positions.push_back(t);
    }
    dataset.add(ids, tokens - labels, i + 1, positions);
  }
  return dataset;
}

}  // namespace rallrec::train
