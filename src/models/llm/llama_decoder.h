#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/device_array.h"
#include "kernels/embedding_pool.h"
#include "models/llm/arena.h"
#include "models/llm/decoder_layer.h"
#include "models/llm/generation.h"
#include "models/llm/packed_batch.h"
#include "models/llm/rope_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// The passes of a Llama decoder over a weight store, on the device of one queue, with explicit
// forward and backward and without torch. llama_causal_lm.h is the same for callers with tensors;
// causal_lm.h says what each pass means and when ranks must call it together. Not thread-safe.
class LlamaDecoder {
 public:
  // The weights are in the queue's memory.
  LlamaDecoder(const LlmConfig& config, std::unique_ptr<WeightStore> weights,
               const Queue& queue = {});

  const LlmConfig& config() const { return config_; }
  const Queue& queue() const { return queue_; }
  WeightStore& weights() { return *weights_; }
  const WeightStore& weights() const { return *weights_; }
  void set_kept_bytes(std::int64_t bytes) { kept_bytes_ = bytes; }

  // Final-norm hidden states [tokens, hidden], in the queue's memory. `adapter` may be null.
  void hidden_states(const PackedBatch& batch, const LoraWeights* adapter, const Rows& hidden);
  // Of the rows `positions` alone: hidden [positions, hidden].
  void hidden_states_at(const PackedBatch& batch, const std::vector<std::int64_t>& positions,
                        const LoraWeights* adapter, const Rows& hidden);
  // One vector per sequence, pooled [sequences, hidden] in the queue's memory: its hidden_states,
  // which are normed while they are pooled and never stored. No shared prefix.
  void pooled_states(const PackedBatch& batch, kernels::Pooling pooling, const LoraWeights* adapter,
                     const Rows& pooled);

  // What a micro-batch gave: -log p of its labels, and fp32 [lora parameters] in the queue's
  // memory. Who copies a result to the host calls weights().confirm() after it.
  struct Result {
    std::vector<float> label_losses;
    DeviceArray<float> gradient;
  };
  void forward_backward(const std::vector<MicroBatch>& micro_batches, const LoraWeights& adapter,
                        DropoutKey key, double loss_scale, const std::function<void(Result)>& take);
  std::vector<std::vector<float>> label_losses(const std::vector<MicroBatch>& micro_batches,
                                               const LoraWeights* adapter);
  std::vector<std::vector<std::int64_t>> generate(const std::vector<GenerationPrompt>& prompts,
                                                  const GenerationOptions& options,
                                                  const LoraWeights* adapter);

 private:
  // A micro-batch on its way through the layers.
  struct Passage {
    const MicroBatch* micro_batch = nullptr;
    PackedLayout layout;
    BatchRows labels;                   // all that the last layer's output is needed of
    Rows hidden;                        // activations, then their gradient
    std::vector<KeptActivations> kept;  // one per layer
    bool recompute = false;             // of `kept` only the inputs are there
    Result result;
  };

  // Hidden states that are to predict `ids`, of all passages one after the other.
  struct LabelRows {
    Rows hidden;
    std::vector<std::int64_t> ids;
  };

  PackedLayout prepare(const PackedBatch& batch);
  // Embeds the batch and runs layers [0, layers) over it, into `hidden`; the pass goes on with the
  // next layer.
  void run_layers(const PackedBatch& batch, const PackedLayout& layout, const LoraWeights* adapter,
                  std::int64_t layers, const Rows& hidden);
  void apply_final_norm(const Rows& hidden);
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
                                     const LoraLayout& adapter);
  // Whether all activations of a micro-batch are more than may be kept.
  bool recomputes(const MicroBatch& micro_batch, const LoraLayout& adapter) const;
  void run_wave(std::vector<Passage>& wave, const LoraWeights& adapter, DropoutKey key,
                double loss_scale);
  void forward_wave(std::vector<Passage>& wave, const LoraWeights& adapter, DropoutKey key);
  void backward_wave(std::vector<Passage>& wave, const LoraWeights& adapter, DropoutKey key);
  // In the memory of `kept_`.
  LabelRows label_rows(const std::vector<Passage>& passages);
  void losses_and_gradients(std::vector<Passage>& wave, double loss_scale);

  LlmConfig config_;
  std::unique_ptr<WeightStore> weights_;
  Queue queue_;
  RopeTable rope_;
  Arena scratch_;
  Arena kept_;
  std::int64_t kept_bytes_ = std::int64_t{2} << 30;
};

}  // namespace rallrec::models::llm
