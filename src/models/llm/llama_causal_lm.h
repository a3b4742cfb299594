#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/llm/arena.h"
#include "models/llm/causal_lm.h"
#include "models/llm/decoder_layer.h"
#include "models/llm/rope_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// CausalLm over a weight store, with explicit forward and backward passes.
class LlamaCausalLm : public CausalLm {
 public:
  LlamaCausalLm(const LlmConfig& config, std::unique_ptr<WeightStore> weights);

  const LlmConfig& config() const override { return config_; }
  std::string quant() const override { return weights_->mode(); }
  GatherStatistics gathered() const override { return weights_->gathered(); }
  std::int64_t frozen_bytes() const override { return weights_->frozen_bytes(); }
  // Bytes that the kept activations of one wave of forward_backward may take; results do not depend
  // on it. A single micro-batch may exceed it.
  void set_kept_bytes(std::int64_t bytes) { kept_bytes_ = bytes; }
  static constexpr std::int64_t kKeptBytes = std::int64_t{2} << 30;

  at::Tensor hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) override;
  at::Tensor logits(const at::Tensor& hidden_rows) override;
  at::Tensor logits_of(const at::Tensor& hidden_rows,
                       const std::vector<std::int64_t>& ids) override;
  std::vector<MicroBatchResult> forward_backward(const std::vector<MicroBatch>& micro_batches,
                                                 const LoraAdapter& adapter, DropoutKey key,
                                                 double loss_scale) override;
  std::vector<std::vector<float>> label_losses(const std::vector<MicroBatch>& micro_batches,
                                               const LoraAdapter* adapter) override;
  std::vector<std::vector<std::int64_t>> generate(const std::vector<GenerationPrompt>& prompts,
                                                  const GenerationOptions& options,
                                                  const LoraAdapter* adapter) override;

 private:
  // A micro-batch on its way through the layers.
  struct Passage {
    const MicroBatch* micro_batch = nullptr;
    PackedLayout layout;
    at::Tensor hidden;                  // activations, then their gradient
    std::vector<KeptActivations> kept;  // one per layer
    MicroBatchResult result;
  };

  PackedLayout prepare(const PackedBatch& batch);
  // Where each wave begins, and the end of the last; as many waves on every rank. Collective.
  std::vector<std::size_t> wave_cuts(const std::vector<MicroBatch>& micro_batches);
  void run_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key,
                double loss_scale);
  void forward_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key);
  void backward_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key);
  void losses_and_gradients(std::vector<Passage>& wave, double loss_scale);

  LlmConfig config_;
  std::unique_ptr<WeightStore> weights_;
  RopeTable rope_;
  Arena scratch_;
  Arena kept_;
  std::int64_t kept_bytes_ = kKeptBytes;
};

}  // namespace rallrec::models::llm
