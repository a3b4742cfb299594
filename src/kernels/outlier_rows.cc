#include "kernels/outlier_rows.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/outlier_rows_gpu.h"

namespace rallrec::kernels {
namespace {

bool has_result(const ProductShape& shape, std::int64_t width, const OutlierSlots& outliers,
                const std::int8_t* w, const float* y) {
  RALLREC_CHECK(shape.rows >= 0 && shape.columns >= 0 && shape.depth >= 0 && outliers.capacity >= 0,
                "outlier_rows: negative size");
  if (shape.rows == 0 || width == 0 || outliers.capacity == 0) {
    return false;
  }
  RALLREC_CHECK(y != nullptr && w != nullptr && outliers.counts != nullptr &&
                    outliers.columns != nullptr && outliers.values != nullptr,
                "outlier_rows: null operand or result");
  return true;
}

// Calls body(i, j, Σ_slots of i: value · weight(j, column of the slot)) for all j below `width`.
template <typename Weight, typename Body>
void for_each_sum(const ProductShape& shape, std::int64_t width, const OutlierSlots& outliers,
                  const Weight& weight, const Body& body) {
  parallel_for(shape.rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t count = outliers.counts[i];
      const std::int64_t first = i * outliers.capacity;
      for (std::int64_t j = 0; j < width && count > 0 && count <= outliers.capacity; ++j) {
        float sum = 0.0F;
        for (std::int64_t slot = first; slot < first + count; ++slot) {
          sum += outliers.values[slot] * static_cast<float>(weight(j, outliers.columns[slot]));
        }
        body(i, j, sum);
      }
    }
  });
}

}  // namespace

void add_outlier_rows(const Queue& queue, const ProductShape& shape, const OutlierSlots& outliers,
                      const std::int8_t* w, const float* column_scale, float* y) {
  if (!has_result(shape, shape.columns, outliers, w, y)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::add_outlier_rows_gpu(queue, shape, outliers, w, column_scale, y);
    return;
  }
  for_each_sum(
      shape, shape.columns, outliers,
      [&](std::int64_t j, std::int64_t column) { return w[j * shape.depth + column]; },
      [&](std::int64_t i, std::int64_t j, float sum) {
        y[i * shape.columns + j] += column_scale == nullptr ? sum : column_scale[j] * sum;
      });
}

void add_outlier_rows_transposed(const Queue& queue, const ProductShape& shape,
                                 const OutlierSlots& outliers, const std::int8_t* w, float* y) {
  if (!has_result(shape, shape.depth, outliers, w, y)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::add_outlier_rows_transposed_gpu(queue, shape, outliers, w, y);
    return;
  }
  for_each_sum(
      shape, shape.depth, outliers,
      [&](std::int64_t k, std::int64_t column) { return w[column * shape.depth + k]; },
      [&](std::int64_t i, std::int64_t k, float sum) { y[i * shape.depth + k] += sum; });
}

}  // namespace rallrec::kernels
