#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "core/rng.h"
#include "models/ctr/ctr_model.h"

namespace rallrec::models::ctr {

// The deep part of the models: layers h ← dropout(relu(W h + b)), then one output, w · h + b, that
// adds to the logit. Parameters: W1 [size, inputs], b1, W2, b2, …, w, b.
class Mlp {
 public:
  // Dropout masks are kernels/dropout.h's of (seed, block.epoch, sample, layer, unit).
  Mlp(std::int64_t inputs, const std::vector<std::int64_t>& sizes, double dropout,
      std::uint64_t seed, const Queue& queue);

  std::int64_t parameter_count() const { return count_; }
  void initialise(Rng& rng, float* parameters) const;

  // x [rows, inputs]; the result is added to logits [rows].
  void forward(const float* parameters, const CtrBlock& block, const float* x, float* logits);
  // Writes over gradient; adds to dx.
  void backward(const float* parameters, const CtrBlock& block, const float* x,
                const float* dlogits, float* gradient, float* dx);

 private:
  struct Layer {
    std::int64_t inputs;
    std::int64_t outputs;
    std::int64_t first;  // of its parameters
  };

  void drop(const CtrBlock& block, std::size_t layer);
  // The input of a layer: x, or what the layer below left.
  const float* input_of(std::size_t layer, const float* x) const {
    return layer == 0 ? x : hidden_[layer - 1].data();
  }

  std::vector<Layer> layers_;  // the output is the last
  std::int64_t count_ = 0;
  double dropout_;
  std::uint64_t seed_;
  Queue queue_;
  std::vector<DeviceArray<float>> hidden_;        // per hidden layer, after dropout
  std::vector<DeviceArray<std::uint8_t>> masks_;  // per hidden layer
  DeviceArray<float> output_;
  DeviceArray<float> above_;  // gradients on their way down
  DeviceArray<float> below_;
};

}  // namespace rallrec::models::ctr
