#include "kernels/cross_layer_cpu.h"

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

struct Forward {
  [[gnu::always_inline]] static void run(const CrossArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t n = a->shape.width;
    for (std::int64_t row = begin; row < end; ++row) {
      const float* x0 = a->in.x0 + row * n;
      const float* x = a->in.x + row * n;
      float* y = a->y + row * n;
      const float along = dot(x, a->in.w, n);
      if (a->dots != nullptr) {
        a->dots[row] = along;
      }
      for (std::int64_t c = 0; c < n; ++c) {
        y[c] = x0[c] * along + a->in.b[c] + x[c];
      }
    }
  }
};

struct Backward {
  [[gnu::always_inline]] static void run(const CrossBackwardArguments* a, std::int64_t begin,
                                         std::int64_t end, float* sums) {
    const std::int64_t n = a->shape.width;
    float* __restrict dw = sums;
    float* __restrict db = sums + n;
    for (std::int64_t row = begin; row < end; ++row) {
      const float* x = a->in.x + row * n;
      const float* dy = a->in.dy + row * n;
      const float t = dot(a->in.x0 + row * n, dy, n);
      const float along = a->in.dots[row];
      float* dx = a->out.dx + row * n;
      float* dx0 = a->out.dx0 + row * n;
      for (std::int64_t c = 0; c < n; ++c) {
        dx[c] = dy[c] + t * a->in.w[c];
        dw[c] += t * x[c];
        db[c] += dy[c];
      }
      const float* residual = a->in.residual;
      for (std::int64_t c = 0; c < n; ++c) {
        dx0[c] = (residual == nullptr ? 0.0F : residual[row * n + c]) + along * dy[c];
      }
    }
  }
};

}  // namespace

void cross_layer_cpu(const CrossArguments& arguments, std::int64_t begin, std::int64_t end) {
  run_best<Forward>(&arguments, begin, end);
}

void cross_layer_backward_cpu(const CrossBackwardArguments& arguments, std::int64_t begin,
                              std::int64_t end, float* sums) {
  run_best<Backward>(&arguments, begin, end, sums);
}

}  // namespace rallrec::kernels::detail
