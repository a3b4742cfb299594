#include "models/ctr/mlp.h"

#include <algorithm>

#include "kernels/activation.h"
#include "kernels/dropout.h"
#include "kernels/linear.h"
#include "models/ctr/vectors.h"

namespace rallrec::models::ctr {
namespace {

using kernels::Activation;

}  // namespace

Mlp::Mlp(std::int64_t inputs, const std::vector<std::int64_t>& sizes, double dropout,
         std::uint64_t seed, const Queue& queue)
    : dropout_(dropout),
      seed_(seed),
      queue_(queue),
      output_(activations(queue)),
      above_(activations(queue)),
      below_(activations(queue)) {
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    hidden_.push_back(activations(queue));
    masks_.emplace_back(queue, kActivationSetting);
  }
  std::vector<std::int64_t> outputs = sizes;
  outputs.push_back(1);
  for (const std::int64_t size : outputs) {
    layers_.push_back({inputs, size, count_});
    count_ += (inputs + 1) * size;
    inputs = size;
  }
}

void Mlp::initialise(Rng& rng, float* parameters) const {
  for (const Layer& layer : layers_) {
    const std::int64_t weights = layer.inputs * layer.outputs;
    fill_weights(rng, layer.inputs, layer.outputs, weights, parameters + layer.first);
    std::fill_n(parameters + layer.first + weights, layer.outputs, 0.0F);
  }
}

void Mlp::drop(const CtrBlock& block, std::size_t layer) {
  if (!block.training || dropout_ == 0.0) {
    return;
  }
  const std::int64_t units = layers_[layer].outputs;
  std::uint8_t* mask = room(masks_[layer], block.rows * kernels::dropout_mask_bytes(units));
  // A sample has one row, so its number stands where other uses have the token's.
  const kernels::DropoutStream stream{seed_, block.epoch, static_cast<std::int64_t>(layer), 0};
  kernels::dropout_mask(queue_, stream, dropout_, {{0}, {0, block.rows}, block.samples}, units,
                        mask);
  float* hidden = hidden_[layer].data();
  kernels::dropout_apply(queue_, dropout_, block.rows, units, mask, hidden, false, hidden);
}

void Mlp::forward(const float* parameters, const CtrBlock& block, const float* x, float* logits) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const bool last = l + 1 == layers_.size();
    const std::int64_t count = block.rows * layer.outputs;
    float* y = room(last ? output_ : hidden_[l], count);
    const float* weights = parameters + layer.first;
    kernels::linear(queue_, {block.rows, layer.inputs, layer.outputs}, input_of(l, x), weights,
                    weights + layer.inputs * layer.outputs, y);
    if (last) {
      add_to(queue_, logits, y, count);
    } else {
      kernels::activate(queue_, Activation::kRelu, count, y, y);
      drop(block, l);
    }
  }
}

void Mlp::backward(const float* parameters, const CtrBlock& block, const float* x,
                   const float* dlogits, float* gradient, float* dx) {
  const float* dy = dlogits;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const Layer& layer = layers_[l];
    const kernels::LinearShape shape{block.rows, layer.inputs, layer.outputs};
    const std::int64_t weights = layer.inputs * layer.outputs;
    kernels::linear_backward_weight(queue_, shape, input_of(l, x), dy, gradient + layer.first,
                                    gradient + layer.first + weights);
    const std::int64_t count = block.rows * layer.inputs;
    float* down = room(below_, count);
    kernels::linear_backward_input(queue_, shape, dy, parameters + layer.first, down);
    if (l == 0) {
      add_to(queue_, dx, down, count);
      return;
    }
    if (block.training && dropout_ > 0.0) {
      kernels::dropout_apply(queue_, dropout_, block.rows, layer.inputs, masks_[l - 1].data(), down,
                             false, down);
    }
    // What dropout left is positive where the ReLU's input was, or dropped and 0 anyway.
    kernels::activate_backward(queue_, Activation::kRelu, count, hidden_[l - 1].data(), down, down);
    above_.swap(below_);
    dy = above_.data();
  }
}

}  // namespace rallrec::models::ctr
