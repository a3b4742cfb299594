#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/int8_dequantize.h"
#include "kernels/int8_matmul.h"

namespace rallrec::kernels {

// One scale per row serves a row with a few large values badly: the others are rounded away. So the
// large ones are taken out, multiplied in fp32 and added to the int8 product of what is left:
//   x W = Q(x without O) W + O W.
// This is LLM.int8 (Dettmers et al., arXiv 2208.07339), but for one thing: there a column is taken
// out of all rows where any of them is large in it, here each value stands for itself, so that no
// row depends on another one.
struct Outliers {
  std::vector<std::int64_t> offsets;  // [rows + 1]: row i has entries [offsets[i], offsets[i + 1])
  std::vector<std::int32_t> columns;  // ascending within a row
  std::vector<float> values;
};

// Which values of a row are outliers.
struct OutlierRule {
  enum class Kind {
    kMagnitude,  // |x| >= limit
    // |x| >= limit · rms, the root mean square of the row without the outliers: the largest set of
    // which this holds, found by taking out what is too large until nothing is.
    kTimesRms
  };
  Kind kind = Kind::kTimesRms;
  float limit = 0.0F;
};

// quantize_rows of x [rows, depth] · column_scale without its outliers, which it returns, scaled.
// A row with a value that is not finite has no outliers and the scale NaN.
Outliers quantize_rows_without_outliers(const Queue& queue, const float* x,
                                        const float* column_scale, const OutlierRule& rule,
                                        QuantizedRows& q);

// C[i, j] += scale[j] · Σ_{k of row i} value[i, k] · q[k, j] in fp32, k ascending; B is
// [depth, columns] and C [rows, columns]. 2 · values · columns operations.
void add_outlier_products(const Queue& queue, const Outliers& outliers, const Int8Packed& b,
                          float* c);

// C[i, k] += Σ_{j of row i} value[i, j] · q[k, j] with the same packed B; its scale is not used, as
// in int8_matmul_transposed. C is [rows, depth].
void add_outlier_products_transposed(const Queue& queue, const Outliers& outliers,
                                     const Int8Packed& b, float* c);

}  // namespace rallrec::kernels
