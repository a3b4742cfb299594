#pragma once

#include "core/device.h"
#include "kernels/row_product.h"

namespace rallrec::kernels::detail {

// The GPU column of row_product.h: device memory, work is enqueued on queue.stream. Throws where
// the build has no CUDA.
void int8_product_gpu(const Queue& queue, const ProductShape& shape, const std::int8_t* a,
                      const std::int8_t* w, std::int32_t* sums);
void int8_product_transposed_gpu(const Queue& queue, const ProductShape& shape,
                                 const std::int8_t* a, const std::int8_t* w, std::int32_t* sums);
void bfloat16_product_gpu(const Queue& queue, const ProductShape& shape, const float* x,
                          const std::uint16_t* w, bool accumulate, float* y);
void bfloat16_product_transposed_gpu(const Queue& queue, const ProductShape& shape, const float* x,
                                     const std::uint16_t* w, bool accumulate, float* y);

}  // namespace rallrec::kernels::detail
