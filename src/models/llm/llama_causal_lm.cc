#include "models/llm/llama_causal_lm.h"

#include <utility>

#include "ops/tensor_rows.h"

namespace rallrec::models::llm {
namespace {

const LoraWeights* pointer_to(const std::optional<LoraWeights>& weights) {
  return weights ? &*weights : nullptr;
}

}  // namespace

LlamaCausalLm::LlamaCausalLm(const LlmConfig& config, std::unique_ptr<WeightStore> weights,
                             std::unique_ptr<distributed::PlaceOwner> owner)
    : owner_(std::move(owner)),
      decoder_(config, std::move(weights), owner_ ? owner_->place().queue : Queue{}),
      adapter_(decoder_.queue(), "tune.lora_r"),
      rows_(decoder_.queue(), "the batch") {}

LoraWeights LlamaCausalLm::bring(const LoraAdapter& adapter) {
  const at::Tensor& flat = adapter.flat();
  if (on_host()) {
    return {adapter.layout(), flat.data_ptr<float>()};
  }
  adapter_.assign(flat.const_data_ptr<float>(), static_cast<std::size_t>(flat.numel()));
  return {adapter.layout(), adapter_.data()};
}

std::optional<LoraWeights> LlamaCausalLm::bring(const LoraAdapter* adapter) {
  std::optional<LoraWeights> weights;
  if (adapter != nullptr) {
    weights.emplace(bring(*adapter));
  }
  return weights;
}

Rows LlamaCausalLm::bring_rows(const at::Tensor& x) {
  const Rows host = ops::rows_of(x);
  if (on_host()) {
    return host;
  }
  rows_.assign(host.data, static_cast<std::size_t>(host.count()));
  return {rows_.data(), host.rows, host.columns};
}

at::Tensor LlamaCausalLm::filled(std::int64_t rows, const std::function<void(const Rows&)>& fill) {
  at::Tensor tensor = at::empty({rows, config().hidden_size}, at::kFloat);
  const Rows host = ops::rows_of(tensor);
  if (on_host()) {
    fill(host);
    return tensor;
  }
  rows_.resize(static_cast<std::size_t>(host.count()));
  fill({rows_.data(), host.rows, host.columns});
  copy_to_host(decoder_.queue(), host.data, rows_.data(), rows_.size() * sizeof(float));
  decoder_.weights().confirm();
  return tensor;
}

// The tensor owns the array where it is in host memory.
at::Tensor LlamaCausalLm::take_out(DeviceArray<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  if (on_host()) {
    const auto shared = std::make_shared<DeviceArray<float>>(std::move(values));
    return at::from_blob(
        shared->data(), {count}, [shared](void*) {}, at::kFloat);
  }
  at::Tensor tensor = at::empty({count}, at::kFloat);
  copy_to_host(decoder_.queue(), tensor.data_ptr<float>(), values.data(),
               values.size() * sizeof(float));
  decoder_.weights().confirm();
  return tensor;
}

at::Tensor LlamaCausalLm::hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) {
  const auto weights = bring(adapter);
  return filled(batch.tokens(), [&](const Rows& hidden) {
    decoder_.hidden_states(batch, pointer_to(weights), hidden);
  });
}

at::Tensor LlamaCausalLm::hidden_states_at(const PackedBatch& batch,
                                           const std::vector<std::int64_t>& positions,
                                           const LoraAdapter* adapter) {
  const auto weights = bring(adapter);
  return filled(static_cast<std::int64_t>(positions.size()), [&](const Rows& hidden) {
    decoder_.hidden_states_at(batch, positions, pointer_to(weights), hidden);
  });
}

at::Tensor LlamaCausalLm::pooled_states(const PackedBatch& batch, kernels::Pooling pooling,
                                        const LoraAdapter* adapter) {
  const auto weights = bring(adapter);
  return filled(batch.sequences(), [&](const Rows& pooled) {
    decoder_.pooled_states(batch, pooling, pointer_to(weights), pooled);
  });
}

at::Tensor LlamaCausalLm::logits(const at::Tensor& hidden_rows) {
  const at::Tensor hidden = hidden_rows.contiguous();
  const at::Tensor logits = at::empty({hidden.size(0), config().vocab_size}, at::kFloat);
  decoder_.weights().begin(Turn::kLogits);
  decoder_.weights().head().logits(bring_rows(hidden), ops::rows_of(logits));
  decoder_.weights().confirm();
  return logits;
}

at::Tensor LlamaCausalLm::logits_of(const at::Tensor& hidden_rows,
                                    const std::vector<std::int64_t>& ids) {
  const at::Tensor hidden = hidden_rows.contiguous();
  const at::Tensor logits =
      at::empty({hidden.size(0), static_cast<std::int64_t>(ids.size())}, at::kFloat);
  decoder_.weights().begin(Turn::kLogitsOf);
  decoder_.weights().head().logits_of(bring_rows(hidden), ids, ops::rows_of(logits));
  decoder_.weights().confirm();
  return logits;
}

void LlamaCausalLm::forward_backward(const std::vector<MicroBatch>& micro_batches,
                                     const LoraAdapter& adapter, DropoutKey key, double loss_scale,
                                     const std::function<void(MicroBatchResult)>& take) {
  decoder_.forward_backward(
      micro_batches, bring(adapter), key, loss_scale, [&](LlamaDecoder::Result result) {
        take({std::move(result.label_losses), take_out(std::move(result.gradient))});
      });
}

std::vector<std::vector<float>> LlamaCausalLm::label_losses(
    const std::vector<MicroBatch>& micro_batches, const LoraAdapter* adapter) {
  const auto weights = bring(adapter);
  return decoder_.label_losses(micro_batches, pointer_to(weights));
}

std::vector<std::vector<std::int64_t>> LlamaCausalLm::generate(
    const std::vector<GenerationPrompt>& prompts, const GenerationOptions& options,
    const LoraAdapter* adapter) {
  const auto weights = bring(adapter);
  return decoder_.generate(prompts, options, pointer_to(weights));
}

}  // namespace rallrec::models::llm
