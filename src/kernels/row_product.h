#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Products with frozen weights that lie as plain rows, W [columns, depth] as a linear's [out, in],
// in int8 and in bf16 (as its 16 bits). All matrices are row-major in the queue's memory; on a CUDA
// queue a call is enqueued and returns. A row of a result depends on its own row alone, to the bit.
// No result may overlap an operand.
//
// This is what a GPU multiplies by. On the CPU the program multiplies packed weights
// (int8_matmul.h, fp32_matmul.h); these CPU paths are what the GPU's are compared with.
//
// Throw Error on a negative size, on null where there is something to read or write, and for int8
// on more than kMostInt8Terms products to a sum, which int32 might not hold.
struct ProductShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t depth = 0;
};

constexpr std::int64_t kMostInt8Terms = 131071;  // (2^31 - 1) / 128², rounded down

// sums [rows, columns] = a Wᵀ, exact; a is [rows, depth].
void int8_product(const Queue& queue, const ProductShape& shape, const std::int8_t* a,
                  const std::int8_t* w, std::int32_t* sums);

// sums [rows, depth] = a W, exact; a is [rows, columns].
void int8_product_transposed(const Queue& queue, const ProductShape& shape, const std::int8_t* a,
                             const std::int8_t* w, std::int32_t* sums);

// y [rows, columns] (+)= bf16(x) Wᵀ; x is fp32 [rows, depth] and rounded to the nearest bf16, ties
// to even, sums are fp32. A GPU keeps the rounded x in scratch memory of 2 bytes per value.
void bfloat16_product(const Queue& queue, const ProductShape& shape, const float* x,
                      const std::uint16_t* w, bool accumulate, float* y);

// y [rows, depth] (+)= bf16(x) W; x is fp32 [rows, columns].
void bfloat16_product_transposed(const Queue& queue, const ProductShape& shape, const float* x,
                                 const std::uint16_t* w, bool accumulate, float* y);

inline Work int8_product_work(const ProductShape& s) {
  return {s.rows * s.depth + s.columns * s.depth + 4 * s.rows * s.columns,
          2 * s.rows * s.columns * s.depth};
}

inline Work int8_product_transposed_work(const ProductShape& s) {
  return int8_product_work({s.rows, s.depth, s.columns});
}

inline Work bfloat16_product_work(const ProductShape& s, bool accumulate) {
  return {
      4 * s.rows * s.depth + 2 * s.columns * s.depth + (accumulate ? 8 : 4) * s.rows * s.columns,
      2 * s.rows * s.columns * s.depth};
}

inline Work bfloat16_product_transposed_work(const ProductShape& s, bool accumulate) {
  return bfloat16_product_work({s.rows, s.depth, s.columns}, accumulate);
}

}  // namespace rallrec::kernels
