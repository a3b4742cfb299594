#include "models/llm/llama_decoder.h"

#include "core/check.h"
#include "core/error.h"
#include "models/llm/generator.h"
#include "models/llm/layer_scope.h"
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

LlamaDecoder::LlamaDecoder(const LlmConfig& config, std::unique_ptr<WeightStore> weights,
                           const Queue& queue)
    : config_(config),
      weights_(std::move(weights)),
      queue_(queue),
      rope_(config, queue),
      scratch_(queue),
      kept_(queue) {}

PackedLayout LlamaDecoder::prepare(const PackedBatch& batch) {
  check_batch(batch, config_);
  PackedLayout layout = make_layout(batch, queue_);
  if (layout.longest > config_.max_position) {
    throw Error(ExitCode::kBadData, "a sequence of " + std::to_string(layout.longest) +
                                        " tokens is longer than the model's " +
                                        std::to_string(config_.max_position) + " positions");
  }
  rope_.reserve(layout.longest);
  return layout;
}

void LlamaDecoder::run_layers(const PackedBatch& batch, const PackedLayout& layout,
                              const LoraWeights* adapter, std::int64_t layers, const Rows& hidden) {
  weights_->begin(Turn::kLayers);
  weights_->embed(batch.ids, hidden);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const LayerScope turn(layer, distributed::Phase::kForward);
    const LayerLora lora = plain_lora(adapter, layer);
    const LayerWeights& weights = weights_->layer(layer, after(layer));
    layer_forward({config_, weights, rope_, layout, layout.rows, lora, scratch_}, hidden, hidden);
  }
}

void LlamaDecoder::apply_final_norm(const Rows& hidden) {
  ops::rms_norm(queue_, hidden, weights_->final_norm(), config_.rms_norm_eps, hidden, {});
}

void LlamaDecoder::hidden_states(const PackedBatch& batch, const LoraWeights* adapter,
                                 const Rows& hidden) {
  run_layers(batch, prepare(batch), adapter, config_.layers, hidden);
  apply_final_norm(hidden);
}

void LlamaDecoder::hidden_states_at(const PackedBatch& batch,
                                    const std::vector<std::int64_t>& positions,
                                    const LoraWeights* adapter, const Rows& hidden) {
  const PackedLayout layout = prepare(batch);
  const std::int64_t last = config_.layers - 1;
  const ArenaScope scope(kept_);
  const Rows all = kept_.floats(batch.tokens(), config_.hidden_size);
  run_layers(batch, layout, adapter, last, all);
  const LayerLora lora = plain_lora(adapter, last);
  const LayerWeights& weights = weights_->layer(last, after(last));
  const BatchRows chosen = choose_rows(layout, positions);
  layer_forward({config_, weights, rope_, layout, chosen, lora, scratch_}, all, hidden);
  apply_final_norm(hidden);
}

void LlamaDecoder::pooled_states(const PackedBatch& batch, kernels::Pooling pooling,
                                 const LoraWeights* adapter, const Rows& pooled) {
  RALLREC_CHECK(!batch.first_is_prefix, "pooled_states: sequences share a prefix");
  const PackedLayout layout = prepare(batch);
  const ArenaScope scope(kept_);
  const Rows hidden = kept_.floats(batch.tokens(), config_.hidden_size);
  const auto count = static_cast<std::int64_t>(batch.offsets.size());
  auto* offsets = kept_.array<std::int64_t>(count);
  copy_to_device(queue_, offsets, batch.offsets.data(), batch.offsets.size() * sizeof(*offsets));
  run_layers(batch, layout, adapter, config_.layers, hidden);
  ops::embedding_pool(queue_, pooling, offsets, hidden, weights_->final_norm(),
                      config_.rms_norm_eps, pooled);
}

std::vector<std::vector<std::int64_t>> LlamaDecoder::generate(
    const std::vector<GenerationPrompt>& prompts, const GenerationOptions& options,
    const LoraWeights* adapter) {
  for (const GenerationPrompt& prompt : prompts) {
    const auto length = static_cast<std::int64_t>(prompt.ids.size());
    const PackedLayout layout = prepare({prompt.ids, {0, length}});
    rope_.reserve(layout.longest + options.max_new_tokens);
  }
  return Generator({config_, *weights_, rope_, scratch_, kept_, adapter}, prompts, options).run();
}

}  // namespace rallrec::models::llm
