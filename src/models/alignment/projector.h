#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::models {

struct ProjectorShape {
  std::int64_t input = 0;
  std::int64_t hidden = 0;
  std::int64_t output = 0;
  std::string activation = "relu";  // relu, gelu (exact) or tanh
};

// The two-layer MLP of eq. 5 and 6: text embedding -> space of the graph embedding,
// z = W2 act(W1 t + b1) + b2. fp32 on the CPU. All parameters lie in one vector, in the order W1
// [hidden, input], b1, W2 [output, hidden], b2.
class Projector {
 public:
  // Weights and biases uniform in ±1/sqrt(inputs), a pure function of the seed. Throws usage on
  // another activation and Error on a size that is not positive.
  Projector(const ProjectorShape& shape, std::uint64_t seed);
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;

  // text: fp32 [rows, input] -> [rows, output]. Differentiable in parameter_tensors().
  at::Tensor forward(const at::Tensor& text) const;

  // The parameters, and leaf tensors that view them. Changing one changes the other.
  std::vector<float>& parameters() { return parameters_; }
  const std::vector<at::Tensor>& parameter_tensors() const { return tensors_; }
  const ProjectorShape& shape() const { return shape_; }

 private:
  ProjectorShape shape_;
  std::vector<float> parameters_;
  std::vector<at::Tensor> tensors_;
};

// Rows divided by their Euclidean norm; a zero row stays zero (0/0 := 0). Differentiable elsewhere.
at::Tensor normalise_rows(const at::Tensor& rows);

}  // namespace rallrec::models
