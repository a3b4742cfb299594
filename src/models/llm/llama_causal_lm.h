#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/device_array.h"
#include "distributed/place.h"
#include "models/llm/causal_lm.h"
#include "models/llm/llama_decoder.h"

namespace rallrec::models::llm {

// CausalLm over a decoder: takes and gives tensors of the host, and brings them and the adapter to
// the decoder's device and back where that is another one.
class LlamaCausalLm : public CausalLm {
 public:
  // The weights are in the memory of the owner's place, or of the host without an owner.
  LlamaCausalLm(const LlmConfig& config, std::unique_ptr<WeightStore> weights,
                std::unique_ptr<distributed::PlaceOwner> owner = nullptr);

  const LlmConfig& config() const override { return decoder_.config(); }
  std::string quant() const override { return decoder_.weights().mode(); }
  GatherStatistics gathered() const override { return decoder_.weights().gathered(); }
  std::int64_t frozen_bytes() const override { return decoder_.weights().frozen_bytes(); }
  void set_kept_bytes(std::int64_t bytes) override { decoder_.set_kept_bytes(bytes); }

  void join_others() override { decoder_.weights().begin(Turn::kNone); }
  at::Tensor hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) override;
  at::Tensor hidden_states_at(const PackedBatch& batch, const std::vector<std::int64_t>& positions,
                              const LoraAdapter* adapter) override;
  at::Tensor pooled_states(const PackedBatch& batch, kernels::Pooling pooling,
                           const LoraAdapter* adapter) override;
  at::Tensor logits(const at::Tensor& hidden_rows) override;
  at::Tensor logits_of(const at::Tensor& hidden_rows,
                       const std::vector<std::int64_t>& ids) override;
  using CausalLm::forward_backward;
  void forward_backward(const std::vector<MicroBatch>& micro_batches, const LoraAdapter& adapter,
                        DropoutKey key, double loss_scale,
                        const std::function<void(MicroBatchResult)>& take) override;
  std::vector<std::vector<float>> label_losses(const std::vector<MicroBatch>& micro_batches,
                                               const LoraAdapter* adapter) override;
  std::vector<std::vector<std::int64_t>> generate(const std::vector<GenerationPrompt>& prompts,
                                                  const GenerationOptions& options,
                                                  const LoraAdapter* adapter) override;

 private:
  bool on_host() const { return decoder_.queue().device == Device::kCpu; }
  // The adapter's numbers on the decoder's device, valid until the next call.
  LoraWeights bring(const LoraAdapter& adapter);
  std::optional<LoraWeights> bring(const LoraAdapter* adapter);
  // Calls fill(rows) with rows of the decoder's device, and returns them in a new tensor.
  at::Tensor filled(std::int64_t rows, const std::function<void(const Rows&)>& fill);
  // The tensor's rows on the decoder's device, valid until the next call.
  Rows bring_rows(const at::Tensor& x);
  at::Tensor take_out(DeviceArray<float> values);

  std::unique_ptr<distributed::PlaceOwner> owner_;  // outlives all that computes at its place
  LlamaDecoder decoder_;
  DeviceArray<float> adapter_;
  DeviceArray<float> rows_;
};

}  // namespace rallrec::models::llm
