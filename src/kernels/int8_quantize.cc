// quantize_rows and quantize_weight_rows of int8_matmul.h.
#include <cmath>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/int8_matmul.h"
#include "kernels/no_cuda.h"
#include "kernels/simd.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 16;
// Adding and taking away 1.5 · 2^23 rounds a float of small magnitude to an integer, ties to even.
constexpr float kRoundToInteger = 12582912.0F;

struct QuantizeArguments {
  std::int64_t depth;
  const float* x;
  const float* column_scale;
  std::int16_t* q;
  float* scale;
};

// NaN where a value is not finite: comparisons alone would pass over it, and what follows would
// take a damaged row for a sound one.
[[gnu::always_inline]] inline float largest_magnitude(const float* x, const float* column_scale,
                                                      std::int64_t depth) {
  FloatLanes most{};
  FloatLanes poison{};  // 0, or NaN
  std::int64_t k = 0;
  for (; k + 8 <= depth; k += 8) {
    FloatLanes value;
    load8(x + k, value);
    if (column_scale != nullptr) {
      FloatLanes factor;
      load8(column_scale + k, factor);
      value *= factor;
    }
    value = value < 0.0F ? -value : value;
    most = value > most ? value : most;
    poison += value - value;
  }
  float largest = largest_of(reinterpret_cast<const float*>(&most), 8);
  float poisoned = 0.0F;
  for (int lane = 0; lane < 8; ++lane) {
    poisoned += poison[lane];
  }
  for (; k < depth; ++k) {
    const float value = std::fabs(column_scale == nullptr ? x[k] : x[k] * column_scale[k]);
    largest = value > largest ? value : largest;
    poisoned += value - value;
  }
  return largest + poisoned;
}

struct Quantize {
  [[gnu::always_inline]] static void run(const QuantizeArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t depth = a->depth;
    const std::int64_t padded = int8_padded_depth(depth);
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = a->x + i * depth;
      std::int16_t* q = a->q + i * padded;
      const float largest = largest_magnitude(x, a->column_scale, depth);
      const float inverse = largest > 0.0F ? 127.0F / largest : 0.0F;
      a->scale[i] = largest / 127.0F;
      if (a->column_scale == nullptr) {
        for (std::int64_t k = 0; k < depth; ++k) {
          q[k] = static_cast<std::int16_t>(
              static_cast<std::int32_t>(x[k] * inverse + kRoundToInteger - kRoundToInteger));
        }
      } else {
        for (std::int64_t k = 0; k < depth; ++k) {
          q[k] = static_cast<std::int16_t>(static_cast<std::int32_t>(
              x[k] * a->column_scale[k] * inverse + kRoundToInteger - kRoundToInteger));
        }
      }
      if (padded != depth) {
        q[depth] = 0;
      }
    }
  }
};

}  // namespace

void quantize_rows(const Queue& queue, std::int64_t rows, std::int64_t depth, const float* x,
                   const float* column_scale, std::int16_t* q, float* scale) {
  if (queue.device == Device::kCuda) {
    throw_no_cuda("quantize_rows");
  }
  RALLREC_CHECK(depth > 0, "quantize_rows: no columns");
  const QuantizeArguments arguments{depth, x, column_scale, q, scale};
  parallel_for(rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    run_best<Quantize>(&arguments, begin, end);
  });
}

void quantize_weight_rows(std::int64_t rows, std::int64_t depth, const float* x, std::int8_t* q,
                          float* scale) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* row = x + i * depth;
    const float largest = largest_magnitude(row, nullptr, depth);
    const float inverse = largest > 0.0F ? 127.0F / largest : 0.0F;
    scale[i] = largest / 127.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      q[i * depth + k] = static_cast<std::int8_t>(std::nearbyintf(row[k] * inverse));
    }
  }
}

}  // namespace rallrec::kernels
