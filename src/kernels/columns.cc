#include "kernels/columns.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/columns_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 256;

bool has_values(const ColumnsShape& s, const float* from, const float* to) {
  RALLREC_CHECK(s.rows >= 0 && s.columns >= 0, "columns: negative size");
  RALLREC_CHECK(s.from_stride >= s.columns && s.to_stride >= s.columns,
                "columns: a stride is below the columns");
  const bool some = s.rows > 0 && s.columns > 0;
  RALLREC_CHECK(!some || (from != nullptr && to != nullptr), "columns: null input or result");
  return some;
}

}  // namespace

void copy_columns(const Queue& queue, const ColumnsShape& shape, const float* from, float* to) {
  if (!has_values(shape, from, to)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::copy_columns_gpu(queue, shape, from, to);
    return;
  }
  parallel_for(shape.rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::copy_n(from + row * shape.from_stride, shape.columns, to + row * shape.to_stride);
    }
  });
}

void add_columns(const Queue& queue, const ColumnsShape& shape, float factor, const float* from,
                 float* to) {
  if (!has_values(shape, from, to)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::add_columns_gpu(queue, shape, factor, from, to);
    return;
  }
  parallel_for(shape.rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* values = from + row * shape.from_stride;
      float* sums = to + row * shape.to_stride;
      for (std::int64_t c = 0; c < shape.columns; ++c) {
        sums[c] += factor * values[c];
      }
    }
  });
}

}  // namespace rallrec::kernels
