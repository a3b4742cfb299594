#include "models/ctr/x_deep_fm.h"

#include <algorithm>

#include "config/sizes.h"
#include "models/ctr/vectors.h"

namespace rallrec::models::ctr {

kernels::CinShape XDeepFm::Layer::shape_of(const CtrBlock& block) const {
  kernels::CinShape all = shape;
  all.batch = block.rows;
  return all;
}

XDeepFm::XDeepFm(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue)
    : shape_(shape),
      mlp_(shape.width(), config::read_sizes(options.mlp_sizes), options.dropout,
           static_cast<std::uint64_t>(options.seed), queue),
      queue_(queue),
      dpooled_(activations(queue)),
      dx0_(activations(queue)),
      above_(activations(queue)),
      below_(activations(queue)) {
  std::int64_t maps = shape.fields;
  for (const std::int64_t size : config::read_sizes(options.cin_sizes)) {
    const kernels::CinShape of_layer{0, shape.dim, shape.fields, maps, size};
    layers_.push_back(
        {of_layer, mlp_first_, ScalarHead(size, queue), activations(queue), activations(queue)});
    mlp_first_ += layers_.back().weights() + size;
    maps = size;
  }
}

void XDeepFm::initialise(std::uint64_t seed, float* parameters) const {
  Rng rng(seed);
  for (const Layer& layer : layers_) {
    const std::int64_t maps = layer.shape.maps_out;
    fill_weights(rng, layer.shape.pairs(), maps, layer.weights(), parameters + layer.first);
    fill_weights(rng, maps, 1, maps, parameters + layer.first + layer.weights());
  }
  mlp_.initialise(rng, parameters + mlp_first_);
}

void XDeepFm::forward(const float* parameters, const CtrBlock& block, float* logits) {
  set_to_zero(queue_, logits, block.rows);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const std::int64_t maps = block.rows * layer.shape.maps_out;
    float* pooled = room(layer.pooled, maps);
    const float* w = parameters + layer.first;
    kernels::cin(queue_, layer.shape_of(block), {block.x, input_of(l, block), w},
                 room(layer.maps, maps * shape_.dim), pooled);
    layer.head.forward(w + layer.weights(), block.rows, pooled, logits);
  }
  mlp_.forward(parameters + mlp_first_, block, block.x, logits);
}

void XDeepFm::backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                       float* gradient, float* dx) {
  set_to_zero(queue_, dx, block.rows * shape_.width());
  float* dx0 = room(dx0_, block.rows * shape_.width());
  const float* dmaps = nullptr;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    const float* w = parameters + layer.first;
    float* dw = gradient + layer.first;
    float* dpooled = room(dpooled_, block.rows * layer.shape.maps_out);
    layer.head.backward(w + layer.weights(), block.rows, layer.pooled.data(), dlogits,
                        dw + layer.weights(), dpooled);
    float* down = room(below_, block.rows * layer.shape.maps_in * shape_.dim);
    kernels::cin_backward(queue_, layer.shape_of(block), {block.x, input_of(l, block), w},
                          {dmaps, dpooled}, {dx0, down, dw});
    add_to(queue_, dx, dx0, block.rows * shape_.width());
    above_.swap(below_);
    dmaps = above_.data();
  }
  add_to(queue_, dx, dmaps, block.rows * shape_.width());
  mlp_.backward(parameters + mlp_first_, block, block.x, dlogits, gradient + mlp_first_, dx);
}

}  // namespace rallrec::models::ctr
