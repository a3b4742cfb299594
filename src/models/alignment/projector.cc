#include "models/alignment/projector.h"

#include <cmath>
#include <vector>

#include "core/check.h"
#include "core/rng.h"
#include "kernels/linear.h"

namespace rallrec::models {
namespace {

kernels::Activation activation_of(const std::string& name) {
  if (name == "relu") {
    return kernels::Activation::kRelu;
  }
  if (name == "gelu") {
    return kernels::Activation::kGelu;
  }
  if (name == "tanh") {
    return kernels::Activation::kTanh;
  }
  throw_usage("align.activation: \"" + name + "\" is not relu, gelu or tanh");
}

// Appends a layer's weights and its bias.
void add_layer(std::int64_t inputs, std::int64_t outputs, Rng& rng, std::vector<float>& values) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(inputs));
  for (std::int64_t i = 0; i < outputs * (inputs + 1); ++i) {
    values.push_back(static_cast<float>(bound * (2.0 * rng.next_double() - 1.0)));
  }
}

}  // namespace

Projector::Projector(const ProjectorShape& shape, std::uint64_t seed, const Queue& queue)
    : shape_(shape),
      activation_(activation_of(shape.activation)),
      queue_(queue),
      parameters_(queue, "align.hidden_size") {
  RALLREC_CHECK(shape.input > 0 && shape.hidden > 0 && shape.output > 0,
                "Projector: sizes must be positive");
  std::vector<float> values;
  Rng rng(seed);
  add_layer(shape.input, shape.hidden, rng, values);
  add_layer(shape.hidden, shape.output, rng, values);
  parameters_.assign(values);
}

template <typename Value>
Projector::Parts<Value> Projector::parts(Value* vector) const {
  Value* bias1 = vector + shape_.hidden * shape_.input;
  Value* weight2 = bias1 + shape_.hidden;
  return {vector, bias1, weight2, weight2 + shape_.output * shape_.hidden};
}

void Projector::forward(std::int64_t rows, const float* text, ProjectorActivations& activations,
                        float* z) const {
  const auto p = parts(parameters_.data());
  const std::int64_t count = rows * shape_.hidden;
  activations.hidden.resize(static_cast<std::size_t>(count));
  activations.active.resize(static_cast<std::size_t>(count));
  kernels::linear(queue_, {rows, shape_.input, shape_.hidden}, text, p.weight1, p.bias1,
                  activations.hidden.data());
  kernels::activate(queue_, activation_, count, activations.hidden.data(),
                    activations.active.data());
  kernels::linear(queue_, {rows, shape_.hidden, shape_.output}, activations.active.data(),
                  p.weight2, p.bias2, z);
}

void Projector::backward_rows(std::int64_t rows, const float* dz,
                              ProjectorActivations& activations) const {
  const auto p = parts(parameters_.data());
  const std::int64_t count = rows * shape_.hidden;
  activations.gradient.resize(static_cast<std::size_t>(count));
  kernels::linear_backward_input(queue_, {rows, shape_.hidden, shape_.output}, dz, p.weight2,
                                 activations.gradient.data());
  kernels::activate_backward(queue_, activation_, count, activations.hidden.data(),
                             activations.gradient.data(), activations.gradient.data());
}

void Projector::backward_parameters(std::int64_t first, std::int64_t rows, const float* text,
                                    const float* dz, const ProjectorActivations& activations,
                                    float* gradient) const {
  const auto to = parts(gradient);
  kernels::linear_backward_weight(
      queue_, {rows, shape_.input, shape_.hidden}, text + first * shape_.input,
      activations.gradient.data() + first * shape_.hidden, to.weight1, to.bias1);
  kernels::linear_backward_weight(queue_, {rows, shape_.hidden, shape_.output},
                                  activations.active.data() + first * shape_.hidden,
                                  dz + first * shape_.output, to.weight2, to.bias2);
}

}  // namespace rallrec::models
