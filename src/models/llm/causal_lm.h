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
#include "models/llm/gather_statistics.h"
#include "models/llm/int8_cache_options.h"
#include "models/llm/llm_config.h"
#include "models/llm/lora_adapter.h"

namespace rallrec::models::llm {

class LayerTrace;

// Sequences back to back without padding: sequence s is ids[offsets[s], offsets[s + 1]).
struct PackedBatch {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> offsets;  // [sequences + 1], offsets[0] = 0
  // Sequence 0 is what every other sequence begins with: it is computed once, the others attend to
  // it and their positions go on after it. For passes without gradients.
  bool first_is_prefix = false;
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()); }
  std::int64_t sequences() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

// A packed batch with what the loss needs. The logits at token label_positions[i] (an index into
// ids, ascending) are to predict label_ids[i].
struct MicroBatch {
  PackedBatch batch;
  // [sequences]; with (seed, epoch) the Philox key of this sequence's dropout masks, so a mask does
  // not depend on packing or rank.
  std::vector<std::int64_t> samples;
  std::vector<std::int64_t> label_positions;
  std::vector<std::int64_t> label_ids;
};

struct MicroBatchResult {
  std::vector<float> label_losses;  // -log p(label_ids[i]), in order
  // fp32 [lora parameters]: d(sum of label_losses × loss_scale) / d(LoRA parameters), laid out as
  // LoraAdapter::flat.
  at::Tensor gradient;
};

struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
};

struct GenerationOptions {
  std::int64_t max_new_tokens = 128;
  // 0 = greedy: the largest logit, the smallest id among equals.
  double temperature = 0.0;
  // Sampling is from the smallest set of tokens whose probabilities sum to at least top_p.
  double top_p = 1.0;
  std::uint64_t seed = 0;
  // Only ids below it are chosen: a model's table may be longer than its tokenizer's. 0 = all.
  std::int64_t vocabulary = 0;
  // A generated id of these ends its text and is not part of it.
  std::vector<std::int64_t> stop_ids;
};

struct GenerationPrompt {
  std::vector<std::int64_t> ids;  // at least one
  // With seed and token position the Philox key of this prompt's draws.
  std::uint64_t index = 0;
};

// A Llama-architecture decoder with frozen weights and an optional LoRA adapter.
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

}  // namespace rallrec::models::llm
