#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/llm/gather_statistics.h"
#include "models/llm/linear_input.h"
#include "models/llm/linear_names.h"
#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// A frozen linear map y = x Wᵀ, W [out, in], in whatever form its numbers are kept. Activations and
// gradients are fp32 in the memory of the model's queue. There is no weight gradient.
class FrozenLinear {
 public:
  virtual ~FrozenLinear() = default;
  // y [rows, out] = x [rows, in] Wᵀ.
  virtual void forward(const LinearInput& x, const Rows& y) const = 0;
  // y += x Wᵀ.
  virtual void forward_add(const LinearInput& x, const Rows& y) const = 0;
  // dx [rows, in] = dy [rows, out] W.
  virtual void input_gradient(const Rows& dy, const Rows& dx) const = 0;
  // dx += dy W.
  virtual void input_gradient_add(const Rows& dy, const Rows& dx) const = 0;
  // Of its own copy of W, scales and filling included; 0 where it looks at somebody else's.
  virtual std::int64_t bytes() const = 0;
};

struct LayerWeights {
  std::array<std::unique_ptr<FrozenLinear>, kLinearCount> linears;
  const float* attention_norm = nullptr;  // fp32 [hidden], in the queue's memory
  const float* mlp_norm = nullptr;        // fp32 [hidden], likewise

  const FrozenLinear& operator[](Linear linear) const {
    return *linears[static_cast<std::size_t>(linear)];
  }
};

// The head on rows of final-norm hidden states, which are in the queue's memory; what it gives back
// is in host memory. A row's results do not depend on the rows beside it. Where its parts are on
// several ranks, every rank calls the same methods in the same order, with as many rows as it has,
// none included.
class LmHead {
 public:
  virtual ~LmHead() = default;
  // logits [rows, vocab].
  virtual void logits(const Rows& hidden, const Rows& logits) const = 0;
  // logits [rows, ids].
  virtual void logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                         const Rows& logits) const = 0;
  // losses[i] = -log softmax(logits of row i)[ids[i]] over the whole vocabulary. d_hidden, where
  // it is not none, receives d(loss_scale · Σ losses)/d(hidden), in the queue's memory. Rows of
  // several micro-batches may share a call.
  virtual std::vector<float> losses(const Rows& hidden, const std::vector<std::int64_t>& ids,
                                    double loss_scale, const Rows& d_hidden) const = 0;
};

// What a rank does next with the weights, in order of precedence.
enum class Turn { kNone, kLogitsOf, kLogits, kLayers };

// The frozen weights of a model in the memory of one queue, brought in layer by layer. Every rank
// calls the same methods in the same order, since a store may hold a part on each rank; where ranks
// have different work, `begin` brings them together.
class WeightStore {
 public:
  virtual ~WeightStore() = default;

  // The layer's weights, valid until the next call. `next` is the layer that will be asked for
  // then: it is brought in while this one computes. A number outside the model says none.
  virtual const LayerWeights& layer(std::int64_t layer, std::int64_t next) = 0;
  // Returns when all ranks are at the turn this one wants: `embed` and then each layer once with
  // the next one named, the last one naming layer 0 (kLayers), or one call of the head. Before that
  // it gives this rank's part to the turns of others. With kNone it returns when no rank wants any.
  virtual void begin(Turn) {}
  // To be called once results of a pass are in host memory: throws where weights that they came
  // from did not arrive whole.
  virtual void confirm() {}
  // The largest of all ranks' `mine`: how often every rank must go through the layers.
  virtual std::int64_t most_passes(std::int64_t mine) = 0;
  // y [ids, hidden] = rows of the embedding table, fp32.
  virtual void embed(const std::vector<std::int64_t>& ids, const Rows& y) = 0;
  virtual const float* final_norm() const = 0;  // fp32 [hidden]
  virtual const LmHead& head() const = 0;
  // fp32, bf16, …
  virtual std::string mode() const = 0;
  virtual GatherStatistics gathered() const { return {}; }
  // Of frozen weights on this rank: matrices, scales, embedding, head, norms and gather buffers.
  virtual std::int64_t frozen_bytes() const = 0;
};

}  // namespace rallrec::models::llm
