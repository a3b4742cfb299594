#include <algorithm>
#include <vector>

#include "kernels/cin_cpu.h"
#include "kernels/cin_products.h"
#include "kernels/simd.h"
#include "kernels/small_matmul.h"

namespace rallrec::kernels::detail {
namespace {

// z[row, :] = x_i ∘ x0_j for pairs [begin, begin + count).
struct FillProducts {
  const CinShape& s;
  CinSample sample;
  float* z;

  [[gnu::always_inline]] void operator()(std::int64_t row, std::int64_t i, std::int64_t j) const {
    const float* x = sample.x + i * s.dim;
    const float* x0 = sample.x0 + j * s.dim;
    float* __restrict to = z + row * s.dim;
    for (std::int64_t d = 0; d < s.dim; ++d) {
      to[d] = x[d] * x0[d];
    }
  }
};

struct Forward {
  [[gnu::always_inline]] static void run(const CinArguments* a, std::int64_t begin,
                                         std::int64_t end, float* z) {
    const CinShape s = a->shape;
    const std::int64_t pairs = s.pairs();
    for (std::int64_t b = begin; b < end; ++b) {
      float* y = a->y + b * s.maps_out * s.dim;
      for (std::int64_t first = 0; first < pairs; first += kCinDepth) {
        const std::int64_t count = std::min(kCinDepth, pairs - first);
        for_pairs(s, first, count, FillProducts{s, cin_sample(s, a->in, b), z});
        small_matmul(s.maps_out, s.dim, count, {a->in.w + first, pairs, 1}, z, s.dim, y, s.dim,
                     first > 0);
      }
    }
  }
};

void pool(const CinArguments& a, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin * a.shape.maps_out; i < end * a.shape.maps_out; ++i) {
    float sum = 0.0F;
    for (std::int64_t d = 0; d < a.shape.dim; ++d) {
      sum += a.y[i * a.shape.dim + d];
    }
    a.pooled[i] = sum;
  }
}

}  // namespace

void cin_cpu(const CinArguments& arguments, std::int64_t begin, std::int64_t end) {
  const CinShape& s = arguments.shape;
  if (s.pairs() == 0) {
    std::fill_n(arguments.y + begin * s.maps_out * s.dim, (end - begin) * s.maps_out * s.dim, 0.0F);
  } else {
    std::vector<float> z(static_cast<std::size_t>(kCinDepth * s.dim));
    run_best<Forward>(&arguments, begin, end, z.data());
  }
  if (arguments.pooled != nullptr) {
    pool(arguments, begin, end);
  }
}

}  // namespace rallrec::kernels::detail
