#include "kernels/embedding_pool_cpu.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/embedding_gather_cpu.h"
#include "kernels/rms_norm_cpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr std::int64_t kFirst = 0;

// Row `row` as fp32, through the RMSNorm where there is one; in `scratch` unless it is there as
// such.
const float* prepared_row(const PoolArguments& a, std::int64_t row, std::vector<float>& scratch) {
  const auto* x = static_cast<const float*>(a.input.x) + row * a.columns;
  if (a.input.type == TableType::kBfloat16) {
    gather_bfloat16_cpu(static_cast<const std::uint16_t*>(a.input.x) + row * a.columns, a.columns,
                        &kFirst, 0, 1, scratch.data());
    x = scratch.data();
  }
  if (a.input.norm_weight != nullptr) {
    rms_norm_cpu({a.columns, a.input.norm_eps, x, a.input.norm_weight, scratch.data(), nullptr}, 0,
                 1);
    x = scratch.data();
  }
  return x;
}

void make_unit_length(std::int64_t columns, float* y) {
  double squares = 0.0;
  for (std::int64_t c = 0; c < columns; ++c) {
    squares += static_cast<double>(y[c]) * y[c];
  }
  const double scale = squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0;
  for (std::int64_t c = 0; c < columns; ++c) {
    y[c] = static_cast<float>(y[c] * scale);
  }
}

void pool_mean(const PoolArguments& a, std::int64_t s, std::vector<float>& scratch,
               std::vector<double>& sums) {
  std::fill(sums.begin(), sums.end(), 0.0);
  for (std::int64_t row = a.offsets[s]; row < a.offsets[s + 1]; ++row) {
    const float* x = prepared_row(a, row, scratch);
    for (std::int64_t c = 0; c < a.columns; ++c) {
      sums[static_cast<std::size_t>(c)] += static_cast<double>(x[c]);
    }
  }
  const auto rows = static_cast<double>(a.offsets[s + 1] - a.offsets[s]);
  for (std::int64_t c = 0; c < a.columns; ++c) {
    a.y[s * a.columns + c] = static_cast<float>(sums[static_cast<std::size_t>(c)] / rows);
  }
}

}  // namespace

void embedding_pool_cpu(const PoolArguments& arguments, std::int64_t begin, std::int64_t end) {
  std::vector<float> scratch(static_cast<std::size_t>(arguments.columns));
  std::vector<double> sums(static_cast<std::size_t>(arguments.columns));
  for (std::int64_t s = begin; s < end; ++s) {
    float* y = arguments.y + s * arguments.columns;
    if (arguments.rule.pooling == Pooling::kMean) {
      pool_mean(arguments, s, scratch, sums);
    } else {
      std::copy_n(prepared_row(arguments, arguments.offsets[s + 1] - 1, scratch), arguments.columns,
                  y);
    }
    if (arguments.rule.unit_length) {
      make_unit_length(arguments.columns, y);
    }
  }
}

}  // namespace rallrec::kernels::detail
