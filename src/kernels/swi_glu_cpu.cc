#include "kernels/swi_glu_cpu.h"

#include <algorithm>

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

[[gnu::always_inline]] inline void sigmoid(const FloatLanes& x, FloatLanes& y) {
  y = -x;
  exp8(y);
  y = 1.0F / (1.0F + y);
}

[[gnu::always_inline]] inline void load_up_to_8(const float* from, std::int64_t count,
                                                FloatLanes& to) {
  if (count >= 8) {
    load8(from, to);
  } else {
    load_part(from, count, 0.0F, to);
  }
}

[[gnu::always_inline]] inline void store_up_to_8(const FloatLanes& from, std::int64_t count,
                                                 float* to) {
  if (count >= 8) {
    store8(from, to);
  } else {
    store_part(from, count, to);
  }
}

struct Forward {
  [[gnu::always_inline]] static void run(const float* gate, const float* up, float* y,
                                         std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 8) {
      FloatLanes g;
      FloatLanes u;
      FloatLanes s;
      load_up_to_8(gate + i, end - i, g);
      load_up_to_8(up + i, end - i, u);
      sigmoid(g, s);
      store_up_to_8(g * s * u, end - i, y + i);
    }
  }
};

struct Backward {
  [[gnu::always_inline]] static void run(const float* gate, const float* up, const float* dy,
                                         float* d_gate, float* d_up, std::int64_t begin,
                                         std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 8) {
      FloatLanes g;
      FloatLanes u;
      FloatLanes d;
      FloatLanes s;
      load_up_to_8(gate + i, end - i, g);
      load_up_to_8(up + i, end - i, u);
      load_up_to_8(dy + i, end - i, d);
      sigmoid(g, s);
      store_up_to_8(d * u * s * (1.0F + g * (1.0F - s)), end - i, d_gate + i);
      store_up_to_8(d * g * s, end - i, d_up + i);
    }
  }
};

}  // namespace

void swi_glu_cpu(const float* gate, const float* up, float* y, std::int64_t begin,
                 std::int64_t end) {
  run_best<Forward>(gate, up, y, begin, end);
}

void swi_glu_backward_cpu(const float* gate, const float* up, const float* dy, float* d_gate,
                          float* d_up, std::int64_t begin, std::int64_t end) {
  run_best<Backward>(gate, up, dy, d_gate, d_up, begin, end);
}

}  // namespace rallrec::kernels::detail
