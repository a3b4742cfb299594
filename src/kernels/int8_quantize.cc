// QuantizedRows, quantize_rows and quantize_weight_rows of int8_matmul.h.
#include <cmath>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/int8_matmul.h"
#include "kernels/int8_matmul_cpu.h"
#include "kernels/int8_quads.h"
#include "kernels/no_cuda.h"
#include "kernels/simd.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 16;
// Adding and taking away 1.5 · 2^23 rounds a float of small magnitude to an integer, ties to even.
constexpr float kRoundToInteger = 12582912.0F;

// NaN where a value is not finite: comparisons alone would pass over it, and what follows would
// take a damaged row for a sound one.
template <typename Lanes>
[[gnu::always_inline]] inline float largest_magnitude(const float* x, const float* column_scale,
                                                      std::int64_t depth) {
  Lanes most{};
  Lanes poison{};  // 0, or NaN
  std::int64_t k = 0;
  for (; k + kLanesOf<Lanes> <= depth; k += kLanesOf<Lanes>) {
    Lanes value;
    load_lanes(x + k, value);
    if (column_scale != nullptr) {
      Lanes factor;
      load_lanes(column_scale + k, factor);
      value *= factor;
    }
    magnitude(value);
    most = value > most ? value : most;
    poison += value - value;
  }
  float largest = largest_lane(most);
  float poisoned = sum_lanes(poison);
  for (; k < depth; ++k) {
    const float value = std::fabs(column_scale == nullptr ? x[k] : x[k] * column_scale[k]);
    largest = value > largest ? value : largest;
    poisoned += value - value;
  }
  return largest + poisoned;
}

template <typename Lanes>
struct LargestMagnitude {
  [[gnu::always_inline]] static void run(const float* x, const float* column_scale,
                                         std::int64_t depth, float* largest) {
    *largest = largest_magnitude<Lanes>(x, column_scale, depth);
  }
};

// q = round(x · column_scale · inverse) + offset. Value is int16 with offset 0 or unsigned byte
// with offset 128.
template <typename Value, std::int32_t kOffset>
struct Round {
  [[gnu::always_inline]] static Value rounded(float scaled) {
    return static_cast<Value>(
        static_cast<std::int32_t>(scaled + kRoundToInteger - kRoundToInteger) + kOffset);
  }

  [[gnu::always_inline]] static void run(const float* x, const float* column_scale, float inverse,
                                         std::int64_t depth, std::byte* row) {
    auto* q = reinterpret_cast<Value*>(row);
    if (column_scale == nullptr) {
      for (std::int64_t k = 0; k < depth; ++k) {
        q[k] = rounded(x[k] * inverse);
      }
    } else {
      for (std::int64_t k = 0; k < depth; ++k) {
        q[k] = rounded(x[k] * column_scale[k] * inverse);
      }
    }
  }
};

bool in_bytes(Int8Level level) { return detail::int8_kernel(level).quads; }

std::int64_t bytes_of_row(Int8Level level, std::int64_t depth) {
  return in_bytes(level) ? detail::quad_padded_depth(depth) : 2 * int8_padded_depth(depth);
}

// Rows up to whole tiles, whose loads then need no mask.
std::int64_t readable_rows(Int8Level level, std::int64_t rows) {
  const std::int64_t tile = in_bytes(level) ? detail::int8_kernel(level).tile_rows : 1;
  return (rows + tile - 1) / tile * tile;
}

void round_scaled_row(const float* x, const float* column_scale, float largest, std::int64_t i,
                      QuantizedRows& q) {
  q.scale()[i] = largest / 127.0F;
  const float inverse = int8_factor(largest);
  if (in_bytes(q.level())) {
    run_best<Round<std::uint8_t, 128>>(x, column_scale, inverse, q.depth(), q.row(i));
  } else {
    run_best<Round<std::int16_t, 0>>(x, column_scale, inverse, q.depth(), q.row(i));
  }
}

}  // namespace

QuantizedRows::QuantizedRows(std::int64_t rows, std::int64_t depth, Int8Level level)
    : level_(level),
      rows_(rows),
      depth_(depth),
      row_bytes_(bytes_of_row(level, depth)),
      lines_(static_cast<std::size_t>((readable_rows(level, rows) * row_bytes_ + 63) / 64)),
      scale_(static_cast<std::size_t>(rows)) {}

int QuantizedRows::value(std::int64_t i, std::int64_t k) const {
  return in_bytes(level_) ? std::to_integer<int>(row(i)[k]) - 128
                          : reinterpret_cast<const std::int16_t*>(row(i))[k];
}

void QuantizedRows::set(std::int64_t i, std::int64_t k, int value) {
  if (in_bytes(level_)) {
    row(i)[k] = static_cast<std::byte>(value + 128);
  } else {
    reinterpret_cast<std::int16_t*>(row(i))[k] = static_cast<std::int16_t>(value);
  }
}

void detail::round_row(const float* x, float largest, std::int64_t i, QuantizedRows& q) {
  round_scaled_row(x, nullptr, largest, i, q);
}

void quantize_rows(const Queue& queue, const float* x, const float* column_scale,
                   QuantizedRows& q) {
  require_cpu(queue, "quantize_rows");
  RALLREC_CHECK(q.depth() > 0, "quantize_rows: no columns");
  parallel_for(q.rows(), kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = x + i * q.depth();
      float largest = 0.0F;
      run_best_lanes<LargestMagnitude>(row, column_scale, q.depth(), &largest);
      round_scaled_row(row, column_scale, largest, i, q);
    }
  });
}

void quantize_weight_rows(std::int64_t rows, std::int64_t depth, const float* x, std::int8_t* q,
                          float* scale) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* row = x + i * depth;
    float largest = 0.0F;
    run_best_lanes<LargestMagnitude>(row, static_cast<const float*>(nullptr), depth, &largest);
    const float inverse = int8_factor(largest);
    scale[i] = largest / 127.0F;
    // In baseline instructions, which have no FMA: the bits are then those of every processor.
    std::int8_t* to = q + i * depth;
    for (std::int64_t k = 0; k < depth; ++k) {
      const float rounded = row[k] * inverse + kRoundToInteger - kRoundToInteger;
      to[k] = static_cast<std::int8_t>(static_cast<std::int32_t>(rounded));
    }
  }
}

}  // namespace rallrec::kernels
