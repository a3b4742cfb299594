#pragma once

#include "kernels/row_product.h"

namespace rallrec::kernels::detail {

// The CPU column of row_product.h, on thread_count() threads.
void int8_product_cpu(const ProductShape& shape, const std::int8_t* a, const std::int8_t* w,
                      std::int32_t* sums);
void int8_product_transposed_cpu(const ProductShape& shape, const std::int8_t* a,
                                 const std::int8_t* w, std::int32_t* sums);
void bfloat16_product_cpu(const ProductShape& shape, const float* x, const std::uint16_t* w,
                          bool accumulate, float* y);
void bfloat16_product_transposed_cpu(const ProductShape& shape, const float* x,
                                     const std::uint16_t* w, bool accumulate, float* y);

}  // namespace rallrec::kernels::detail
