#include "kernels/vector_rows.h"

#include "kernels/cpu_level.h"

namespace rallrec::kernels {
namespace {

constexpr int kLanes = 16;

// sum_k a[k] * (b[k] - c[k]); without the subtraction where c is nullptr.
[[gnu::always_inline]] inline float dot(const float* a, const float* b, const float* c,
                                        std::int64_t width) {
  float lanes[kLanes] = {};
  std::int64_t k = 0;
  for (; k + kLanes <= width; k += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      lanes[l] += a[k + l] * (c == nullptr ? b[k + l] : b[k + l] - c[k + l]);
    }
  }
  for (; k < width; ++k) {
    lanes[k % kLanes] += a[k] * (c == nullptr ? b[k] : b[k] - c[k]);
  }
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) {
      lanes[l] += lanes[l + half];
    }
  }
  return lanes[0];
}

// y[k] += scale * (a[k] - b[k]); without the subtraction where b is nullptr.
[[gnu::always_inline]] inline void add(float scale, const float* __restrict a,
                                       const float* __restrict b, float* __restrict y,
                                       std::int64_t width) {
  if (b == nullptr) {
    for (std::int64_t k = 0; k < width; ++k) {
      y[k] += scale * a[k];
    }
    return;
  }
  for (std::int64_t k = 0; k < width; ++k) {
    y[k] += scale * (a[k] - b[k]);
  }
}

float dot_baseline(const float* a, const float* b, const float* c, std::int64_t width) {
  return c == nullptr ? dot(a, b, nullptr, width) : dot(a, b, c, width);
}

[[gnu::target("avx2,fma")]] float dot_avx2(const float* a, const float* b, const float* c,
                                           std::int64_t width) {
  return c == nullptr ? dot(a, b, nullptr, width) : dot(a, b, c, width);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] float dot_avx512(
    const float* a, const float* b, const float* c, std::int64_t width) {
  return c == nullptr ? dot(a, b, nullptr, width) : dot(a, b, c, width);
}

void add_baseline(float scale, const float* a, const float* b, float* y, std::int64_t width) {
  add(scale, a, b, y, width);
}

[[gnu::target("avx2,fma")]] void add_avx2(float scale, const float* a, const float* b, float* y,
                                          std::int64_t width) {
  add(scale, a, b, y, width);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void add_avx512(
    float scale, const float* a, const float* b, float* y, std::int64_t width) {
  add(scale, a, b, y, width);
}

const auto dot_kernel = choose_by_cpu(dot_baseline, dot_avx2, dot_avx512);
const auto add_kernel = choose_by_cpu(add_baseline, add_avx2, add_avx512);

}  // namespace

float dot_row(const float* a, const float* b, std::int64_t width) {
  return dot_kernel(a, b, nullptr, width);
}

float dot_difference(const float* a, const float* b, const float* c, std::int64_t width) {
  return dot_kernel(a, b, c, width);
}

void add_scaled(float scale, const float* x, float* y, std::int64_t width) {
  add_kernel(scale, x, nullptr, y, width);
}

void add_scaled_difference(float scale, const float* a, const float* b, float* y,
                           std::int64_t width) {
  add_kernel(scale, a, b, y, width);
}

}  // namespace rallrec::kernels
