#include "models/alignment/projector.h"

#include <cmath>

#include "core/check.h"
#include "core/rng.h"

namespace rallrec::models {
namespace {

void fill_uniform(float* values, std::int64_t count, double bound, Rng& rng) {
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(bound * (2.0 * rng.next_double() - 1.0));
  }
}

at::Tensor activate(const std::string& activation, const at::Tensor& x) {
  if (activation == "relu") {
    return x.relu();
  }
  return activation == "gelu" ? at::gelu(x) : x.tanh();
}

}  // namespace

Projector::Projector(const ProjectorShape& shape, std::uint64_t seed) : shape_(shape) {
  RALLREC_CHECK(shape.input > 0 && shape.hidden > 0 && shape.output > 0,
                "Projector: sizes must be positive");
  const std::string& activation = shape.activation;
  if (activation != "relu" && activation != "gelu" && activation != "tanh") {
    throw_usage("align.activation: \"" + activation + "\" is not relu, gelu or tanh");
  }
  const std::vector<std::vector<std::int64_t>> sizes = {
      {shape.hidden, shape.input}, {shape.hidden}, {shape.output, shape.hidden}, {shape.output}};
  parameters_.resize(static_cast<std::size_t>(shape.hidden * (shape.input + 1) +
                                              shape.output * (shape.hidden + 1)));
  Rng rng(seed);
  float* next = parameters_.data();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::int64_t count = sizes[i].size() == 2 ? sizes[i][0] * sizes[i][1] : sizes[i][0];
    const std::int64_t inputs = i < 2 ? shape.input : shape.hidden;
    fill_uniform(next, count, 1.0 / std::sqrt(static_cast<double>(inputs)), rng);
    tensors_.push_back(at::from_blob(next, sizes[i], at::kFloat).set_requires_grad(true));
    next += count;
  }
}

at::Tensor Projector::forward(const at::Tensor& text) const {
  const at::Tensor hidden = activate(shape_.activation, at::linear(text, tensors_[0], tensors_[1]));
  return at::linear(hidden, tensors_[2], tensors_[3]);
}

at::Tensor normalise_rows(const at::Tensor& rows) {
  // The smallest norm is far below that of any real vector and keeps 0/0 away.
  return rows / rows.norm(2, 1, true).clamp_min(1e-30);
}

}  // namespace rallrec::models
