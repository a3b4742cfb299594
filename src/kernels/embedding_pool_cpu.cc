#include "kernels/embedding_pool_cpu.h"

#include <algorithm>
#include <vector>

namespace rallrec::kernels::detail {

void pool_mean_cpu(const std::int64_t* offsets, std::int64_t columns, const float* x,
                   std::int64_t begin, std::int64_t end, float* y) {
  std::vector<double> sums(static_cast<std::size_t>(columns));
  for (std::int64_t s = begin; s < end; ++s) {
    std::fill(sums.begin(), sums.end(), 0.0);
    for (std::int64_t row = offsets[s]; row < offsets[s + 1]; ++row) {
      for (std::int64_t c = 0; c < columns; ++c) {
        sums[static_cast<std::size_t>(c)] += static_cast<double>(x[row * columns + c]);
      }
    }
    const auto rows = static_cast<double>(offsets[s + 1] - offsets[s]);
    for (std::int64_t c = 0; c < columns; ++c) {
      y[s * columns + c] = static_cast<float>(sums[static_cast<std::size_t>(c)] / rows);
    }
  }
}

void pool_last_cpu(const std::int64_t* offsets, std::int64_t columns, const float* x,
                   std::int64_t begin, std::int64_t end, float* y) {
  for (std::int64_t s = begin; s < end; ++s) {
    std::copy_n(x + (offsets[s + 1] - 1) * columns, columns, y + s * columns);
  }
}

}  // namespace rallrec::kernels::detail
