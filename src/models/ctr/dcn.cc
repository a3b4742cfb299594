#include "models/ctr/dcn.h"

#include <algorithm>

#include "config/sizes.h"
#include "kernels/cross_layer.h"
#include "models/ctr/vectors.h"

namespace rallrec::models::ctr {

Dcn::Dcn(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue)
    : width_(shape.width()),
      layers_(options.cross_layers),
      head_(width_, queue),
      mlp_(width_, config::read_sizes(options.mlp_sizes), options.dropout,
           static_cast<std::uint64_t>(options.seed), queue),
      queue_(queue),
      above_(activations(queue)),
      below_(activations(queue)) {
  for (std::int64_t l = 0; l < layers_; ++l) {
    outputs_.push_back(activations(queue));
    dots_.push_back(activations(queue));
  }
}

std::int64_t Dcn::parameter_count() const { return mlp_first() + mlp_.parameter_count(); }

void Dcn::initialise(std::uint64_t seed, float* parameters) const {
  Rng rng(seed);
  for (std::int64_t l = 0; l < layers_; ++l) {
    float* w = parameters + 2 * l * width_;
    fill_weights(rng, width_, 1, width_, w);
    std::fill_n(w + width_, width_, 0.0F);
  }
  fill_weights(rng, width_, 1, width_, parameters + head_first());
  mlp_.initialise(rng, parameters + mlp_first());
}

void Dcn::forward(const float* parameters, const CtrBlock& block, float* logits) {
  for (std::int64_t l = 0; l < layers_; ++l) {
    const float* w = parameters + 2 * l * width_;
    const auto at = static_cast<std::size_t>(l);
    kernels::cross_layer(queue_, {block.rows, width_}, {block.x, input_of(l, block), w, w + width_},
                         room(outputs_[at], block.rows * width_), room(dots_[at], block.rows));
  }
  set_to_zero(queue_, logits, block.rows);
  head_.forward(parameters + head_first(), block.rows, input_of(layers_, block), logits);
  mlp_.forward(parameters + mlp_first(), block, block.x, logits);
}

void Dcn::backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                   float* gradient, float* dx) {
  const std::int64_t count = block.rows * width_;
  head_.backward(parameters + head_first(), block.rows, input_of(layers_, block), dlogits,
                 gradient + head_first(), room(above_, count));
  room(below_, count);
  // Every layer's gradient reaches x0, which is the input of the first one as well.
  for (std::int64_t l = layers_; l-- > 0;) {
    const float* w = parameters + 2 * l * width_;
    float* dw = gradient + 2 * l * width_;
    const bool first = l + 1 == layers_;
    kernels::cross_layer_backward(
        queue_, {block.rows, width_},
        {block.x, input_of(l, block), w, dots_[static_cast<std::size_t>(l)].data(), above_.data(),
         first ? nullptr : dx},
        {dx, below_.data(), dw, dw + width_});
    above_.swap(below_);
  }
  add_to(queue_, dx, above_.data(), count);
  mlp_.backward(parameters + mlp_first(), block, block.x, dlogits, gradient + mlp_first(), dx);
}

}  // namespace rallrec::models::ctr
