#pragma once

#include <cstdint>
#include <string>

#include "core/device_array.h"
#include "kernels/activation.h"

namespace rallrec::models {

struct ProjectorShape {
  std::int64_t input = 0;
  std::int64_t hidden = 0;
  std::int64_t output = 0;
  std::string activation = "relu";  // relu, gelu (exact) or tanh

  // Of W1 [hidden, input], b1, W2 [output, hidden], b2, one behind the other.
  std::int64_t parameters() const { return hidden * (input + 1) + output * (hidden + 1); }
};

// What a pass leaves for the next: [rows, hidden] each.
struct ProjectorActivations {
  ProjectorActivations(const Queue& queue, const char* setting)
      : hidden(queue, setting), active(queue, setting), gradient(queue, setting) {}

  DeviceArray<float> hidden;    // W1 t + b1
  DeviceArray<float> active;    // act of it
  DeviceArray<float> gradient;  // of `hidden`, on the way back
};

// The two-layer MLP of eq. 5 and 6: text embedding -> space of the graph embedding,
// z = W2 act(W1 t + b1) + b2. fp32, on the queue's device; calls only enqueue on a GPU.
class Projector {
 public:
  // Weights and biases uniform in ±1/sqrt(inputs), a pure function of the seed. Throws usage on
  // another activation and Error on a size that is not positive.
  Projector(const ProjectorShape& shape, std::uint64_t seed, const Queue& queue);

  // text [rows, input] -> z [rows, output]. A row's bits depend on itself alone.
  void forward(std::int64_t rows, const float* text, ProjectorActivations& activations,
               float* z) const;

  // After forward of the same rows: the gradient of `hidden` from dz [rows, output].
  void backward_rows(std::int64_t rows, const float* dz, ProjectorActivations& activations) const;

  // After backward_rows: what rows [first, first + rows) of the pass add to the gradient of the
  // parameters, in their order, written over `gradient`. text and dz are those of the whole pass.
  void backward_parameters(std::int64_t first, std::int64_t rows, const float* text,
                           const float* dz, const ProjectorActivations& activations,
                           float* gradient) const;

  DeviceArray<float>& parameters() { return parameters_; }
  const DeviceArray<float>& parameters() const { return parameters_; }
  const ProjectorShape& shape() const { return shape_; }

 private:
  // Where the parts of a vector of parameters, or of their gradient, begin.
  template <typename Value>
  struct Parts {
    Value *weight1, *bias1, *weight2, *bias2;
  };
  template <typename Value>
  Parts<Value> parts(Value* vector) const;

  ProjectorShape shape_;
  kernels::Activation activation_;
  Queue queue_;
  DeviceArray<float> parameters_;
};

}  // namespace rallrec::models
