#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::train {

// The state of AdamW (kernels/adam.h) for one flat fp32 vector in host memory, without weight
// decay. Every rank holds a replica.
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
