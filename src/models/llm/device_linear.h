#pragma once

#include <cstdint>
#include <memory>

#include "models/llm/arena.h"
#include "models/llm/quant_mode.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// W [out, in] as plain int8 rows with a scale each, in the memory of a queue.
struct Int8Rows {
  std::int64_t out = 0;
  std::int64_t in = 0;
  const std::int8_t* values = nullptr;
  const float* scale = nullptr;  // [out]
};

// W as bf16 rows that the same matrix of every layer uses in turn: what an int8 matrix is brought
// back to where its other factor is not int8.
class Bfloat16Rows {
 public:
  explicit Bfloat16Rows(const Queue& queue) : values_(queue, "model.quant") {}
  // From here on the rows are those of another layer.
  void forget() { there_ = false; }
  const std::uint16_t* of(const Queue& queue, const Int8Rows& w);

 private:
  DeviceArray<std::uint16_t> values_;
  bool there_ = false;
};

// The linears of the modes on a device. Weights, `scratch` and `wide` belong to others and outlive
// them; what a call takes of the scratch memory it gives back.

// y = x Wᵀ in fp32.
std::unique_ptr<FrozenLinear> make_device_linear(const float* weight, LinearSize size,
                                                 Arena& scratch);
// x is rounded to bf16, sums are fp32.
std::unique_ptr<FrozenLinear> make_device_linear(const std::uint16_t* weight, LinearSize size,
                                                 Arena& scratch);
// w8a8, w8a16 or llm_int8, by the formulas of int8_linear.h. What `w` shows may change between
// calls.
std::unique_ptr<FrozenLinear> make_device_linear(QuantMode mode, const Int8Rows& w,
                                                 Bfloat16Rows& wide, Arena& scratch);

}  // namespace rallrec::models::llm
