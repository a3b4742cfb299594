#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// Cosines and sines of the rotary angles position · frequency(c), with Llama-3.1's scaling of the
// frequencies. Angles are products of fp32 numbers, as in the reference implementation.
class RopeTable {
 public:
  explicit RopeTable(const LlmConfig& config);

  // Makes positions [0, positions) available.
  void reserve(std::int64_t positions);
  // fp32 [positions, head_dim / 2].
  const at::Tensor& cosines() const { return cosines_; }
  const at::Tensor& sines() const { return sines_; }

 private:
  std::vector<float> frequencies_;
  at::Tensor cosines_;
  at::Tensor sines_;
};

}  // namespace rallrec::models::llm
