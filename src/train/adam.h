#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::train {

// AdamW (Loshchilov & Hutter 2019) without weight decay, β = (0.9, 0.999), ε = 1e-8, on one flat
// fp32 vector: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − η (m / (1 − β₁ᵗ)) / (√(v / (1 −
// β₂ᵗ)) + ε). Element by element, so the result does not depend on threads. Every rank holds a
// replica.
class Adam {
 public:
  explicit Adam(std::int64_t parameters);
  // Continues from stored moments; both must have the same length.
  Adam(std::vector<float> first_moment, std::vector<float> second_moment, std::int64_t steps);

  // One update in place. `parameters` and `gradient` have size() elements.
  void step(float* parameters, const float* gradient, double learning_rate);

  std::int64_t size() const { return static_cast<std::int64_t>(first_moment_.size()); }
  // Updates so far (t); skipped steps do not count.
  std::int64_t steps() const { return steps_; }
  const std::vector<float>& first_moment() const { return first_moment_; }
  const std::vector<float>& second_moment() const { return second_moment_; }

 private:
  std::vector<float> first_moment_;
  std::vector<float> second_moment_;
  std::int64_t steps_ = 0;
};

}  // namespace rallrec::train
