#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "distributed/communicator.h"
#include "distributed/place.h"
#include "kernels/embedding_pool.h"
#include "models/llm/gather_statistics.h"
#include "models/llm/generation.h"
#include "models/llm/int8_cache_options.h"
#include "models/llm/llm_config.h"
#include "models/llm/lora_adapter.h"
#include "models/llm/packed_batch.h"

namespace rallrec::models::llm {

class LayerTrace;

struct MicroBatchResult {
  std::vector<float> label_losses;  // -log p(label_ids[i]), in order
  // fp32 [lora parameters]: d(sum of label_losses × loss_scale) / d(LoRA parameters), laid out as
  // LoraAdapter::flat.
  at::Tensor gradient;
};

// A Llama-architecture decoder with frozen weights and an optional LoRA adapter. Tensors that go in
// or come out are in host memory, wherever the model computes.
//
// Not thread-safe. Weights may be gathered from other ranks layer by layer (layer-major: one gather
// serves all micro-batches of a call), so ranks work together: every rank calls forward_backward
// and label_losses equally often and in the same order, with micro-batches or without. The other
// passes each rank calls as often as it has work, and then join_others.
class CausalLm {
 public:
  virtual ~CausalLm() = default;

  virtual const LlmConfig& config() const = 0;
  // fp32 or bf16, …: what `--quant auto` came to.
  virtual std::string quant() const = 0;
  virtual GatherStatistics gathered() const { return {}; }
  // WeightStore::frozen_bytes; 0 where the model has no store.
  virtual std::int64_t frozen_bytes() const { return 0; }

  // Gives this rank's part of the weights to the passes of other ranks until all ranks have called
  // it.
  virtual void join_others() {}

  // Final-norm hidden states, fp32 [tokens, hidden]. `adapter` may be null.
  virtual at::Tensor hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) = 0;
  // Rows `positions` (ascending indices into the batch's ids) of hidden_states, equal but for
  // rounding. The last layer's query, output and MLP run on these rows alone.
  virtual at::Tensor hidden_states_at(const PackedBatch& batch,
                                      const std::vector<std::int64_t>& positions,
                                      const LoraAdapter* adapter) {
    return hidden_states(batch, adapter).index_select(0, at::tensor(positions, at::kLong));
  }
  // One vector per sequence, fp32 [sequences, hidden]: the mean of its hidden_states, or the last
  // one (eq. 2). The batch has no shared prefix.
  virtual at::Tensor pooled_states(const PackedBatch& batch, kernels::Pooling pooling,
                                   const LoraAdapter* adapter) = 0;
  // fp32 [rows, vocab]: head applied to rows of hidden_states.
  virtual at::Tensor logits(const at::Tensor& hidden_rows) = 0;
  // fp32 [rows, ids]: only the head's rows `ids`.
  virtual at::Tensor logits_of(const at::Tensor& hidden_rows,
                               const std::vector<std::int64_t>& ids) = 0;

  // Bytes that activations kept for the backward pass, and gradients, may take. Micro-batches that
  // fit together go through the layers in one wave; one that does not fit alone keeps only the
  // inputs of its layers and computes them again. Results do not depend on it.
  virtual void set_kept_bytes(std::int64_t) {}

  // Forward and backward of every micro-batch with dropout on; no optimizer step. `take` receives
  // the results in order, those of a wave when it has ended, so that gradients need not be held
  // longer; it must not call the model. A micro-batch's result depends only on its own content, the
  // adapter and the key (fixed call shapes), never on its neighbours or the rank. Ranks may pass
  // different numbers of micro-batches, none included.
  virtual void forward_backward(const std::vector<MicroBatch>& micro_batches,
                                const LoraAdapter& adapter, DropoutKey key, double loss_scale,
                                const std::function<void(MicroBatchResult)>& take) = 0;
  // The same, all results at once.
  std::vector<MicroBatchResult> forward_backward(const std::vector<MicroBatch>& micro_batches,
                                                 const LoraAdapter& adapter, DropoutKey key,
                                                 double loss_scale) {
    std::vector<MicroBatchResult> results;
    forward_backward(micro_batches, adapter, key, loss_scale,
                     [&](MicroBatchResult one) { results.push_back(std::move(one)); });
    return results;
  }
  // Forward only, dropout off: the label losses of each micro-batch.
  virtual std::vector<std::vector<float>> label_losses(const std::vector<MicroBatch>& micro_batches,
                                                       const LoraAdapter* adapter) = 0;

  // The ids that follow each prompt, all prompts decoded as one batch with a KV cache. What all
  // prompts start with is computed once and its cache shared. The batch's call shapes are part of
  // the result's last bits: for output that does not depend on ranks, cut the list of prompts into
  // batches without regard to them.
  virtual std::vector<std::vector<std::int64_t>> generate(
      const std::vector<GenerationPrompt>& prompts, const GenerationOptions& options,
      const LoraAdapter* adapter) = 0;
};

// Loads <folder> (config.json, model.safetensors or sharded index). `quant` as in ModelOptions.
// Where `share_with` is given and has several ranks, an int8 model is shared out over them
// (sharded_int8_weights.h); it must outlive the model. Other modes stay whole on every rank.
// Collective where shared.
// `trace`, where given, records the use of the layers (layer_trace.h) and must outlive the model
// too. `cache` keeps the quantised layers of int8 modes for the next start.
std::unique_ptr<CausalLm> load_causal_lm(const std::string& folder, const std::string& quant,
                                         distributed::Communicator* share_with = nullptr,
                                         LayerTrace* trace = nullptr,
                                         const Int8CacheOptions& cache = {});

// The same with the passes on the device of `owner`'s place, which becomes the model's. int8 layers
// are shared out over the place's ranks where `share` says so. No trace: what a GPU waits for is
// not seen by the host. Collective where there are several ranks.
std::unique_ptr<CausalLm> load_causal_lm_on_device(const std::string& folder,
                                                   const std::string& quant,
                                                   std::unique_ptr<distributed::PlaceOwner> owner,
                                                   bool share, const Int8CacheOptions& cache = {});

}  // namespace rallrec::models::llm
