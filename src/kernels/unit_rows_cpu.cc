#include "kernels/unit_rows_cpu.h"

#include <cmath>

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

struct Forward {
  [[gnu::always_inline]] static void run(const UnitRowsArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t n = a->columns;
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = a->x + i * n;
      float* y = a->y + i * n;
      const float norm = std::sqrt(dot(x, x, n));
      if (a->norms != nullptr) {
        a->norms[i] = norm;
      }
      const float divisor = norm == 0.0F ? 1.0F : norm;
      for (std::int64_t c = 0; c < n; ++c) {
        y[c] = x[c] / divisor;
      }
    }
  }
};

struct Backward {
  [[gnu::always_inline]] static void run(const UnitRowsBackwardArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t n = a->columns;
    for (std::int64_t i = begin; i < end; ++i) {
      const float* y = a->y + i * n;
      const float* dy = a->dy + i * n;
      float* dx = a->dx + i * n;
      const float along = dot(y, dy, n);
      const float norm = a->norms[i];
      for (std::int64_t c = 0; c < n; ++c) {
        dx[c] = norm == 0.0F ? 0.0F : (dy[c] - y[c] * along) / norm;
      }
    }
  }
};

}  // namespace

void unit_rows_cpu(const UnitRowsArguments& arguments, std::int64_t begin, std::int64_t end) {
  run_best<Forward>(&arguments, begin, end);
}

void unit_rows_backward_cpu(const UnitRowsBackwardArguments& arguments, std::int64_t begin,
                            std::int64_t end) {
  run_best<Backward>(&arguments, begin, end);
}

}  // namespace rallrec::kernels::detail
