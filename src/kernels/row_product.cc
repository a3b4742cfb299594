#include "kernels/row_product.h"

#include "core/check.h"
#include "kernels/row_product_cpu.h"
#include "kernels/row_product_gpu.h"

namespace rallrec::kernels {
namespace {

// Whether there is anything to write. `terms` are what a value of the result is summed of.
bool has_result(const ProductShape& shape, std::int64_t terms, std::int64_t width, const void* left,
                const void* w, const void* result) {
  RALLREC_CHECK(shape.rows >= 0 && shape.columns >= 0 && shape.depth >= 0,
                "row_product: negative size");
  if (shape.rows == 0 || width == 0) {
    return false;
  }
  RALLREC_CHECK(result != nullptr && (terms == 0 || (left != nullptr && w != nullptr)),
                "row_product: null operand or result");
  return true;
}

void check_int8_terms(std::int64_t terms) {
  RALLREC_CHECK(terms <= kMostInt8Terms, "row_product: more than 131071 products to an int32 sum");
}

}  // namespace

void int8_product(const Queue& queue, const ProductShape& shape, const std::int8_t* a,
                  const std::int8_t* w, std::int32_t* sums) {
  check_int8_terms(shape.depth);
  if (!has_result(shape, shape.depth, shape.columns, a, w, sums)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::int8_product_gpu(queue, shape, a, w, sums);
  } else {
    detail::int8_product_cpu(shape, a, w, sums);
  }
}

void int8_product_transposed(const Queue& queue, const ProductShape& shape, const std::int8_t* a,
                             const std::int8_t* w, std::int32_t* sums) {
  check_int8_terms(shape.columns);
  if (!has_result(shape, shape.columns, shape.depth, a, w, sums)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::int8_product_transposed_gpu(queue, shape, a, w, sums);
  } else {
    detail::int8_product_transposed_cpu(shape, a, w, sums);
  }
}

void bfloat16_product(const Queue& queue, const ProductShape& shape, const float* x,
                      const std::uint16_t* w, bool accumulate, float* y) {
  if (!has_result(shape, shape.depth, shape.columns, x, w, y)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::bfloat16_product_gpu(queue, shape, x, w, accumulate, y);
  } else {
    detail::bfloat16_product_cpu(shape, x, w, accumulate, y);
  }
}

void bfloat16_product_transposed(const Queue& queue, const ProductShape& shape, const float* x,
                                 const std::uint16_t* w, bool accumulate, float* y) {
  if (!has_result(shape, shape.columns, shape.depth, x, w, y)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::bfloat16_product_transposed_gpu(queue, shape, x, w, accumulate, y);
  } else {
    detail::bfloat16_product_transposed_cpu(shape, x, w, accumulate, y);
  }
}

}  // namespace rallrec::kernels
