#include "kernels/spmm.h"

#include "core/check.h"
#include "kernels/spmm_gpu.h"

namespace rallrec::kernels {

void spmm(const Queue& queue, const CsrView& matrix, const float* x, std::int64_t width,
          const float* addend, float scale, float* y) {
  RALLREC_CHECK(matrix.rows >= 0 && matrix.columns >= 0 && width >= 0, "spmm: negative size");
  if (matrix.rows == 0 || width == 0) {
    return;
  }
  RALLREC_CHECK(matrix.row_offsets != nullptr && y != nullptr, "spmm: null matrix or result");
  RALLREC_CHECK(x != y, "spmm: the result must not be the input");
  if (queue.device == Device::kCuda) {
    detail::spmm_gpu(queue, matrix, x, width, addend, scale, y);
    return;
  }
  const std::int64_t entries = matrix.row_offsets[matrix.rows] - matrix.row_offsets[0];
  RALLREC_CHECK(entries == 0 ||
                    (matrix.column_indices != nullptr && matrix.values != nullptr && x != nullptr),
                "spmm: null entries");
  spmm_cpu(matrix, x, width, addend, scale, y);
}

}  // namespace rallrec::kernels
