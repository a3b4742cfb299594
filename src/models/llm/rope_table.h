#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// Cosines and sines of the rotary angles position · frequency(c), with Llama-3.1's scaling of the
// frequencies, in the queue's memory. Angles are products of fp32 numbers, as in the reference
// implementation.
class RopeTable {
 public:
  explicit RopeTable(const LlmConfig& config, const Queue& queue = {});

  // Makes positions [0, positions) available.
  void reserve(std::int64_t positions);
  // fp32 [positions, head_dim / 2].
  const float* cosines() const { return cosines_.data(); }
  const float* sines() const { return sines_.data(); }

 private:
  std::vector<float> frequencies_;
  std::int64_t positions_ = 0;
  DeviceArray<float> cosines_;
  DeviceArray<float> sines_;
};

}  // namespace rallrec::models::llm
