#include "models/ctr/auto_int.h"

#include <cmath>

#include "config/sizes.h"
#include "kernels/activation.h"
#include "kernels/linear.h"
#include "models/ctr/vectors.h"

namespace rallrec::models::ctr {
namespace {

using kernels::Activation;

}  // namespace

AutoInt::Layer::Layer(const Queue& queue)
    : projections(activations(queue)), weights(activations(queue)), output(activations(queue)) {}

AutoInt::AutoInt(const CtrShape& shape, const config::BaselineOptions& options, const Queue& queue)
    : shape_(shape),
      heads_(options.attention_heads),
      size_(options.attention_size),
      head_(shape.fields * options.attention_size, queue),
      mlp_(shape.width(), config::read_sizes(options.mlp_sizes), options.dropout,
           static_cast<std::uint64_t>(options.seed), queue),
      queue_(queue),
      dprojections_(activations(queue)),
      above_(activations(queue)),
      below_(activations(queue)) {
  std::int64_t inputs = shape.dim;
  for (std::int64_t l = 0; l < options.attention_layers; ++l) {
    Layer& layer = layers_.emplace_back(queue);
    layer.inputs = inputs;
    layer.first = head_first_;
    head_first_ += kParts * size_ * inputs;
    inputs = size_;
  }
}

kernels::FieldAttentionShape AutoInt::attention_shape(const CtrBlock& block) const {
  const std::int64_t head = size_ / heads_;
  return {block.rows,     shape_.fields,
          heads_,         head,
          kParts * size_, static_cast<float>(1.0 / std::sqrt(static_cast<double>(head)))};
}

void AutoInt::initialise(std::uint64_t seed, float* parameters) const {
  Rng rng(seed);
  for (const Layer& layer : layers_) {
    fill_weights(rng, layer.inputs, size_, kParts * size_ * layer.inputs, parameters + layer.first);
  }
  fill_weights(rng, head_.parameter_count(), 1, head_.parameter_count(), parameters + head_first_);
  mlp_.initialise(rng, parameters + mlp_first());
}

void AutoInt::forward_layer(std::size_t layer, const float* parameters, const CtrBlock& block) {
  Layer& at = layers_[layer];
  const std::int64_t rows = block.rows * shape_.fields;
  const auto shape = attention_shape(block);
  float* projections = room(at.projections, rows * shape.stride);
  kernels::linear(queue_, {rows, at.inputs, shape.stride}, input_of(layer, block),
                  parameters + at.first, nullptr, projections);
  float* output = room(at.output, rows * size_);
  kernels::field_attention(
      queue_, shape,
      {projections + kQuery * size_, projections + kKey * size_, projections + kValue * size_},
      output, room(at.weights, block.rows * shape.pairs()));
  kernels::add_columns(queue_, {rows, size_, shape.stride, size_}, 1.0F,
                       projections + kResidual * size_, output);
  kernels::activate(queue_, Activation::kRelu, rows * size_, output, output);
}

void AutoInt::forward(const float* parameters, const CtrBlock& block, float* logits) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    forward_layer(l, parameters, block);
  }
  set_to_zero(queue_, logits, block.rows);
  head_.forward(parameters + head_first_, block.rows, layers_.back().output.data(), logits);
  mlp_.forward(parameters + mlp_first(), block, block.x, logits);
}

void AutoInt::backward_layer(std::size_t layer, const float* parameters, const CtrBlock& block,
                             float* gradient) {
  const Layer& at = layers_[layer];
  const std::int64_t rows = block.rows * shape_.fields;
  const auto shape = attention_shape(block);
  float* dy = above_.data();
  kernels::activate_backward(queue_, Activation::kRelu, rows * size_, at.output.data(), dy, dy);
  float* dprojections = room(dprojections_, rows * shape.stride);
  const float* projections = at.projections.data();
  kernels::field_attention_backward(
      queue_, shape,
      {projections + kQuery * size_, projections + kKey * size_, projections + kValue * size_},
      at.weights.data(), dy,
      {dprojections + kQuery * size_, dprojections + kKey * size_, dprojections + kValue * size_});
  kernels::copy_columns(queue_, {rows, size_, size_, shape.stride}, dy,
                        dprojections + kResidual * size_);
  const kernels::LinearShape linear{rows, at.inputs, shape.stride};
  kernels::linear_backward_weight(queue_, linear, input_of(layer, block), dprojections,
                                  gradient + at.first, nullptr);
  kernels::linear_backward_input(queue_, linear, dprojections, parameters + at.first,
                                 room(below_, rows * at.inputs));
}

void AutoInt::backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                       float* gradient, float* dx) {
  head_.backward(parameters + head_first_, block.rows, layers_.back().output.data(), dlogits,
                 gradient + head_first_, room(above_, block.rows * shape_.fields * size_));
  for (std::size_t l = layers_.size(); l-- > 0;) {
    backward_layer(l, parameters, block, gradient);
    above_.swap(below_);
  }
  copy_values(queue_, dx, above_.data(), block.rows * shape_.width());
  mlp_.backward(parameters + mlp_first(), block, block.x, dlogits, gradient + mlp_first(), dx);
}

}  // namespace rallrec::models::ctr
