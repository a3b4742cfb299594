#include "models/llm/llama_causal_lm.h"

#include "core/check.h"
#include "core/error.h"
#include "distributed/flight_marks.h"
#include "models/llm/generator.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

void check_batch(const PackedBatch& batch, const LlmConfig& config) {
  RALLREC_CHECK(!batch.offsets.empty() && batch.offsets.front() == 0 &&
                    batch.offsets.back() == batch.tokens(),
                "PackedBatch: the offsets do not cover the ids");
  for (std::size_t s = 1; s < batch.offsets.size(); ++s) {
    RALLREC_CHECK(batch.offsets[s] > batch.offsets[s - 1], "PackedBatch: a sequence is empty");
  }
  for (std::int64_t id : batch.ids) {
    if (id < 0 || id >= config.vocab_size) {
      throw Error(ExitCode::kBadData, "token id " + std::to_string(id) +
                                          " is not in the model's vocabulary of " +
                                          std::to_string(config.vocab_size));
    }
  }
}

}  // namespace

LlamaCausalLm::LlamaCausalLm(const LlmConfig& config, std::unique_ptr<WeightStore> weights)
    : config_(config), weights_(std::move(weights)), rope_(config) {}

PackedLayout LlamaCausalLm::prepare(const PackedBatch& batch) {
  check_batch(batch, config_);
  PackedLayout layout = make_layout(batch);
  if (layout.longest > config_.max_position) {
    throw Error(ExitCode::kBadData, "a sequence of " + std::to_string(layout.longest) +
                                        " tokens is longer than the model's " +
                                        std::to_string(config_.max_position) + " positions");
  }
  rope_.reserve(layout.longest);
  return layout;
}

at::Tensor LlamaCausalLm::run_layers(const PackedBatch& batch, const PackedLayout& layout,
                                     const LoraAdapter* adapter, std::int64_t layers) {
  at::Tensor hidden = at::empty({batch.tokens(), config_.hidden_size}, at::kFloat);
  weights_->begin(Turn::kLayers);
  weights_->embed(batch.ids, hidden);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    distributed::mark_phase(distributed::Phase::kForward, layer);
    const LayerLora lora = plain_lora(adapter, layer);
    const LayerWeights& weights = weights_->layer(layer, after(layer));
    layer_forward({config_, weights, rope_, layout, layout.rows, lora, scratch_}, hidden, hidden);
  }
  return hidden;
}

at::Tensor LlamaCausalLm::hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) {
  const at::Tensor hidden = run_layers(batch, prepare(batch), adapter, config_.layers);
  ops::rms_norm(hidden, weights_->final_norm(), config_.rms_norm_eps, hidden, {});
  return hidden;
}

at::Tensor LlamaCausalLm::hidden_states_at(const PackedBatch& batch,
                                           const std::vector<std::int64_t>& positions,
                                           const LoraAdapter* adapter) {
  const PackedLayout layout = prepare(batch);
  const std::int64_t last = config_.layers - 1;
  const at::Tensor hidden = run_layers(batch, layout, adapter, last);
  const LayerLora lora = plain_lora(adapter, last);
  const LayerWeights& weights = weights_->layer(last, after(last));
  const BatchRows chosen = choose_rows(layout, positions);
  const at::Tensor rows = at::empty({chosen.count(), config_.hidden_size}, at::kFloat);
  layer_forward({config_, weights, rope_, layout, chosen, lora, scratch_}, hidden, rows);
  ops::rms_norm(rows, weights_->final_norm(), config_.rms_norm_eps, rows, {});
  return rows;
}

at::Tensor LlamaCausalLm::logits(const at::Tensor& hidden_rows) {
  weights_->begin(Turn::kLogits);
  return weights_->head().logits(hidden_rows);
}

at::Tensor LlamaCausalLm::logits_of(const at::Tensor& hidden_rows,
                                    const std::vector<std::int64_t>& ids) {
  weights_->begin(Turn::kLogitsOf);
  return weights_->head().logits_of(hidden_rows, ids);
}

std::vector<std::vector<std::int64_t>> LlamaCausalLm::generate(
    const std::vector<GenerationPrompt>& prompts, const GenerationOptions& options,
    const LoraAdapter* adapter) {
  for (const GenerationPrompt& prompt : prompts) {
    const auto length = static_cast<std::int64_t>(prompt.ids.size());
    const PackedLayout layout = prepare({prompt.ids, {0, length}});
    rope_.reserve(layout.longest + options.max_new_tokens);
  }
  return Generator({config_, *weights_, rope_, scratch_, kept_, adapter}, prompts, options).run();
}

}  // namespace rallrec::models::llm
