#include "kernels/swi_glu_cpu.h"

#include <algorithm>

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

template <typename Lanes>
[[gnu::always_inline]] inline void sigmoid(const Lanes& x, Lanes& y) {
  y = -x;
  exp_lanes(y);
  y = 1.0F / (1.0F + y);
}

template <typename Lanes>
struct Forward {
  [[gnu::always_inline]] static void run(const float* gate, const float* up, float* y,
                                         std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += kLanesOf<Lanes>) {
      Lanes g;
      Lanes u;
      Lanes s;
      load_up_to(gate + i, end - i, g);
      load_up_to(up + i, end - i, u);
      sigmoid(g, s);
      store_up_to(g * s * u, end - i, y + i);
    }
  }
};

template <typename Lanes>
struct Backward {
  [[gnu::always_inline]] static void run(const float* gate, const float* up, const float* dy,
                                         float* d_gate, float* d_up, std::int64_t begin,
                                         std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += kLanesOf<Lanes>) {
      Lanes g;
      Lanes u;
      Lanes d;
      Lanes s;
      load_up_to(gate + i, end - i, g);
      load_up_to(up + i, end - i, u);
      load_up_to(dy + i, end - i, d);
      sigmoid(g, s);
      store_up_to(d * u * s * (1.0F + g * (1.0F - s)), end - i, d_gate + i);
      store_up_to(d * g * s, end - i, d_up + i);
    }
  }
};

}  // namespace

void swi_glu_cpu(const float* gate, const float* up, float* y, std::int64_t begin,
                 std::int64_t end) {
  run_best_lanes<Forward>(gate, up, y, begin, end);
}

void swi_glu_backward_cpu(const float* gate, const float* up, const float* dy, float* d_gate,
                          float* d_up, std::int64_t begin, std::int64_t end) {
  run_best_lanes<Backward>(gate, up, dy, d_gate, d_up, begin, end);
}

}  // namespace rallrec::kernels::detail
