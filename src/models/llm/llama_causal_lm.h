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
  void set_kept_bytes(std::int64_t bytes) override { kept_bytes_ = bytes; }

  void join_others() override { weights_->begin(Turn::kNone); }
  at::Tensor hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) override;
  at::Tensor hidden_states_at(const PackedBatch& batch, const std::vector<std::int64_t>& positions,
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
  // A micro-batch on its way through the layers.
  struct Passage {
    const MicroBatch* micro_batch = nullptr;
    PackedLayout layout;
    BatchRows labels;                   // all that the last layer's output is needed of
    at::Tensor hidden;                  // activations, then their gradient
    std::vector<KeptActivations> kept;  // one per layer
    bool recompute = false;             // of `kept` only the inputs are there
    MicroBatchResult result;
  };

  // Hidden states that are to predict `ids`, of all passages one after the other.
  struct LabelRows {
    at::Tensor hidden;
    std::vector<std::int64_t> ids;
  };

  PackedLayout prepare(const PackedBatch& batch);
  // Embeds the batch and runs layers [0, layers) over it; the pass goes on with the next layer.
  at::Tensor run_layers(const PackedBatch& batch, const PackedLayout& layout,
                        const LoraAdapter* adapter, std::int64_t layers);
  // The layer that a pass without gradients asks for next: the last one is followed by the first
  // layer of the next pass.
  std::int64_t after(std::int64_t layer) const { return (layer + 1) % config_.layers; }
  // Passages of the micro-batches [begin, end), which outlive them.
  std::vector<Passage> start(const MicroBatch* begin, const MicroBatch* end);
  // The embedded tokens of all passages, one after the other, in the memory of `kept_`.
  void embed(std::vector<Passage>& passages);
  // Of the last layer's output, the label rows. The call looks at what it is given.
  LayerCall call_of(const Passage& passage, std::int64_t layer, const LayerWeights& weights,
                    const LayerLora& lora);
  // Where each wave begins, and the end of the last; as many waves on every rank. Collective.
  std::vector<std::size_t> wave_cuts(const std::vector<MicroBatch>& micro_batches,
                                     const LoraAdapter& adapter);
  // Whether all activations of a micro-batch are more than may be kept.
  bool recomputes(const MicroBatch& micro_batch, const LoraAdapter& adapter) const;
  void run_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key,
                double loss_scale);
  void forward_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key);
  void backward_wave(std::vector<Passage>& wave, const LoraAdapter& adapter, DropoutKey key);
  LabelRows label_rows(const std::vector<Passage>& passages) const;
  void losses_and_gradients(std::vector<Passage>& wave, double loss_scale);

  LlmConfig config_;
  std::unique_ptr<WeightStore> weights_;
  RopeTable rope_;
  Arena scratch_;
  Arena kept_;
  std::int64_t kept_bytes_ = std::int64_t{2} << 30;
};

}  // namespace rallrec::models::llm
