// Small things that the models share.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/device_array.h"
#include "core/rng.h"
#include "kernels/columns.h"

namespace rallrec::models::ctr {

// What of the config makes a model's activations smaller.
constexpr const char* kActivationSetting = "baseline.block_size";

inline DeviceArray<float> activations(const Queue& queue) { return {queue, kActivationSetting}; }

// Fresh room for `count` values; their content is unspecified.
template <typename Value>
Value* room(DeviceArray<Value>& values, std::int64_t count) {
  values.resize(static_cast<std::size_t>(count));
  return values.data();
}

inline void add_to(const Queue& queue, float* sum, const float* values, std::int64_t count) {
  kernels::add_columns(queue, kernels::vector_shape(count), 1.0F, values, sum);
}

inline void set_to_zero(const Queue& queue, float* values, std::int64_t count) {
  clear_on_device(queue, values, static_cast<std::size_t>(count) * sizeof(float));
}

inline void copy_values(const Queue& queue, float* to, const float* from, std::int64_t count) {
  copy_on_device(queue, to, from, static_cast<std::size_t>(count) * sizeof(float));
}

// Normal values of variance 2 / (inputs + outputs) (Glorot & Bengio 2010).
inline void fill_weights(Rng& rng, std::int64_t inputs, std::int64_t outputs, std::int64_t count,
                         float* weights) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(inputs + outputs));
  for (std::int64_t i = 0; i < count; ++i) {
    weights[i] = static_cast<float>(deviation * rng.next_normal());
  }
}

}  // namespace rallrec::models::ctr
