#include "kernels/rms_norm_cpu.h"

#include <cmath>

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

struct Forward {
  [[gnu::always_inline]] static void run(const RmsNormArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t n = a->columns;
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = a->x + i * n;
      float* y = a->y + i * n;
      const float r = 1.0F / std::sqrt(dot(x, x, n) / static_cast<float>(n) + a->eps);
      if (a->inverse_rms != nullptr) {
        a->inverse_rms[i] = r;
      }
      for (std::int64_t c = 0; c < n; ++c) {
        y[c] = a->weight[c] * (x[c] * r);
      }
    }
  }
};

// Sum of weight · dy · x over a row.
[[gnu::always_inline]] inline float weighted_dot(const float* weight, const float* dy,
                                                 const float* x, std::int64_t count) {
  FloatLanes sums{};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    FloatLanes w;
    FloatLanes g;
    FloatLanes v;
    load_lanes(weight + i, w);
    load_lanes(dy + i, g);
    load_lanes(x + i, v);
    sums += w * g * v;
  }
  float sum = sum_lanes(sums);
  for (; i < count; ++i) {
    sum += weight[i] * dy[i] * x[i];
  }
  return sum;
}

struct Backward {
  [[gnu::always_inline]] static void run(const RmsNormBackwardArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t n = a->columns;
    for (std::int64_t i = begin; i < end; ++i) {
      const float* x = a->x + i * n;
      const float* dy = a->dy + i * n;
      float* dx = a->dx + i * n;
      const float r = a->inverse_rms[i];
      const float along_x = weighted_dot(a->weight, dy, x, n) * r * r * r / static_cast<float>(n);
      if (a->residual == nullptr) {
        for (std::int64_t c = 0; c < n; ++c) {
          dx[c] = a->weight[c] * dy[c] * r - x[c] * along_x;
        }
      } else {
        const float* residual = a->residual + i * n;
        for (std::int64_t c = 0; c < n; ++c) {
          dx[c] = residual[c] + (a->weight[c] * dy[c] * r - x[c] * along_x);
        }
      }
    }
  }
};

}  // namespace

void rms_norm_cpu(const RmsNormArguments& arguments, std::int64_t begin, std::int64_t end) {
  run_best<Forward>(&arguments, begin, end);
}

void rms_norm_backward_cpu(const RmsNormBackwardArguments& arguments, std::int64_t begin,
                           std::int64_t end) {
  run_best<Backward>(&arguments, begin, end);
}

}  // namespace rallrec::kernels::detail
