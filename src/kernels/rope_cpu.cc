#include "kernels/rope_cpu.h"

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

struct Rotate {
  [[gnu::always_inline]] static void run(const RopeArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const std::int64_t half = a->head_dim / 2;
    for (std::int64_t t = begin; t < end; ++t) {
      const float* cosine = a->cosines + a->positions[t] * half;
      const float* sine = a->sines + a->positions[t] * half;
      for (std::int64_t h = 0; h < a->heads; ++h) {
        float* first = a->x + (t * a->heads + h) * a->head_dim;
        float* second = first + half;
        for (std::int64_t c = 0; c < half; ++c) {
          const float s = a->sign * sine[c];
          const float x = first[c];
          const float y = second[c];
          first[c] = x * cosine[c] - y * s;
          second[c] = y * cosine[c] + x * s;
        }
      }
    }
  }
};

}  // namespace

void rope_cpu(const RopeArguments& arguments, std::int64_t begin, std::int64_t end) {
  run_best<Rotate>(&arguments, begin, end);
}

}  // namespace rallrec::kernels::detail
