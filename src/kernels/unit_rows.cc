#include "kernels/unit_rows.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/unit_rows_cpu.h"
#include "kernels/unit_rows_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 64;

}  // namespace

void unit_rows(const Queue& queue, std::int64_t rows, std::int64_t columns, const float* x,
               float* y, float* norms) {
  RALLREC_CHECK(rows >= 0 && columns >= 0, "unit_rows: negative size");
  RALLREC_CHECK(rows == 0 || columns == 0 || (x != nullptr && y != nullptr),
                "unit_rows: null input or result");
  const detail::UnitRowsArguments arguments{columns, x, y, norms};
  if (queue.device == Device::kCuda) {
    detail::unit_rows_gpu(queue, rows, arguments);
    return;
  }
  parallel_for(rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::unit_rows_cpu(arguments, begin, end);
  });
}

void unit_rows_backward(const Queue& queue, std::int64_t rows, std::int64_t columns, const float* y,
                        const float* norms, const float* dy, float* dx) {
  RALLREC_CHECK(rows >= 0 && columns >= 0, "unit_rows_backward: negative size");
  RALLREC_CHECK(rows == 0 || columns == 0 ||
                    (y != nullptr && norms != nullptr && dy != nullptr && dx != nullptr),
                "unit_rows_backward: null input or result");
  const detail::UnitRowsBackwardArguments arguments{columns, y, norms, dy, dx};
  if (queue.device == Device::kCuda) {
    detail::unit_rows_backward_gpu(queue, rows, arguments);
    return;
  }
  parallel_for(rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::unit_rows_backward_cpu(arguments, begin, end);
  });
}

}  // namespace rallrec::kernels
