#include "kernels/narrow_matmul.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/narrow_matmul_gpu.h"

namespace rallrec::kernels {
namespace {

// Whole tiles of small_matmul.
constexpr std::int64_t kRowBlock = 96;
constexpr std::int64_t kColumnBlock = 64;
constexpr std::int64_t kDepthBlock = 256;

struct Part {
  std::int64_t row, rows;
  std::int64_t column, columns;
};

void narrow_matmul_cpu(std::int64_t m, std::int64_t n, std::int64_t k, const StridedMatrix& a,
                       const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
                       bool accumulate) {
  const bool by_rows = m >= n;
  const std::int64_t whole = by_rows ? m : n;
  const std::int64_t block = by_rows ? kRowBlock : kColumnBlock;
  parallel_for((whole + block - 1) / block, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * block;
    const std::int64_t count = std::min(whole, end * block) - first;
    const Part part = by_rows ? Part{first, count, 0, n} : Part{0, m, first, count};
    // At least once, so that a product of no depth is 0.
    for (std::int64_t p = 0; p == 0 || p < k; p += kDepthBlock) {
      const float* rows = a.data + part.row * a.row_stride + p * a.column_stride;
      small_matmul(part.rows, part.columns, std::min(kDepthBlock, k - p),
                   {rows, a.row_stride, a.column_stride}, b + p * ldb + part.column, ldb,
                   c + part.row * ldc + part.column, ldc, accumulate || p > 0);
    }
  });
}

}  // namespace

void narrow_matmul(const Queue& queue, std::int64_t m, std::int64_t n, std::int64_t k,
                   const StridedMatrix& a, const float* b, std::int64_t ldb, float* c,
                   std::int64_t ldc, bool accumulate) {
  RALLREC_CHECK(m >= 0 && n >= 0 && k >= 0, "narrow_matmul: negative size");
  if (m == 0 || n == 0) {
    return;
  }
  // A single row has no next one.
  RALLREC_CHECK((k <= 1 || ldb >= n) && (m == 1 || ldc >= n),
                "narrow_matmul: a leading dimension is below the columns");
  RALLREC_CHECK(c != nullptr && (k == 0 || (a.data != nullptr && b != nullptr)),
                "narrow_matmul: null input or result");
  if (queue.device == Device::kCuda) {
    detail::narrow_matmul_gpu(queue, m, n, k, a, b, ldb, c, ldc, accumulate);
  } else {
    narrow_matmul_cpu(m, n, k, a, b, ldb, c, ldc, accumulate);
  }
}

}  // namespace rallrec::kernels
