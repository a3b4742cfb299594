#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// Sequences back to back without padding: sequence s is ids[offsets[s], offsets[s + 1]).
struct PackedBatch {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> offsets;  // [sequences + 1], offsets[0] = 0
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()); }
  std::int64_t sequences() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

// A packed batch with what the loss needs. The logits at token label_positions[i] (an index into
// ids) are to predict label_ids[i].
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

// LoRA (Hu et al. 2021) on some linear layers of every decoder layer: y += (alpha / r) ·
// B(A(dropout(x))). All parameters live in one fp32 vector, for layer l, for module m in `modules`
// order: A [r, in] then B [out, r], row-major.
struct LoraOptions {
  std::int64_t r = 8;
  double alpha = 16.0;
  double dropout = 0.05;
  std::vector<std::string> modules = {"q_proj", "v_proj"};  // any of the layer's seven linears
};

class LoraAdapter {
 public:
  // A is Kaiming-uniform(a = sqrt 5) as in PEFT, drawn by Philox from `seed`; B is zero.
  LoraAdapter(const LlmConfig& config, const LoraOptions& options, std::uint64_t seed);

  const LoraOptions& options() const { return options_; }
  double scale() const { return options_.alpha / static_cast<double>(options_.r); }
  // fp32 [parameters], contiguous; views share its storage.
  at::Tensor& flat() { return flat_; }
  const at::Tensor& flat() const { return flat_; }
  // A is [r, in], B is [out, r]; undefined tensors where `module` is not adapted.
  at::Tensor a(std::int64_t layer, const std::string& module) const;
  at::Tensor b(std::int64_t layer, const std::string& module) const;

 private:
  LoraOptions options_;
  at::Tensor flat_;
  // Owner of models/llm: add what the views need.
};

struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
};

// A Llama-architecture decoder with frozen weights and an optional LoRA adapter.
//
// Not thread-safe; every rank calls the same methods in the same order, since weights may be
// gathered from other ranks layer by layer (layer-major: one gather serves all micro-batches of a
// call).
class CausalLm {
 public:
  virtual ~CausalLm() = default;

  virtual const LlmConfig& config() const = 0;
  // fp32 or bf16, …: what `--quant auto` came to.
  virtual std::string quant() const = 0;

  // Final-norm hidden states, fp32 [tokens, hidden]. `adapter` may be null.
  virtual at::Tensor hidden_states(const PackedBatch& batch, const LoraAdapter* adapter) = 0;
  // fp32 [rows, vocab]: head applied to rows of hidden_states.
  virtual at::Tensor logits(const at::Tensor& hidden_rows) = 0;
  // fp32 [rows, ids]: only the head's rows `ids`.
  virtual at::Tensor logits_of(const at::Tensor& hidden_rows,
                               const std::vector<std::int64_t>& ids) = 0;

  // Forward and backward of every micro-batch with dropout on; no optimizer step. A micro-batch's
  // result depends only on its own content, the adapter and the key (fixed call shapes), never on
  // its neighbours or the rank. Ranks may pass different numbers of micro-batches, none included.
  virtual std::vector<MicroBatchResult> forward_backward(
      const std::vector<MicroBatch>& micro_batches, const LoraAdapter& adapter, DropoutKey key,
      double loss_scale) = 0;
  // Forward only, dropout off: the label losses of each micro-batch.
  virtual std::vector<std::vector<float>> label_losses(const std::vector<MicroBatch>& micro_batches,
                                                       const LoraAdapter* adapter) = 0;
};

// Loads <folder> (config.json, model.safetensors or sharded index). `quant` as in ModelOptions.
std::unique_ptr<CausalLm> load_causal_lm(const std::string& folder, const std::string& quant);

}  // namespace rallrec::models::llm
