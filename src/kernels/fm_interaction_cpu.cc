#include "kernels/fm_interaction_cpu.h"

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

// Σ over fields of a column's value times the sum of those before it; v is the first field's.
[[gnu::always_inline]] inline float pairs_of_column(const FmShape& shape, const float* v) {
  float below = 0.0F;
  float pairs = 0.0F;
  for (std::int64_t f = 0; f < shape.fields; ++f) {
    const float value = v[f * shape.dim];
    pairs += value * below;
    below += value;
  }
  return pairs;
}

// The same for eight columns, added to `pairs`.
[[gnu::always_inline]] inline void add_pairs(const FmShape& shape, const float* v,
                                             FloatLanes& pairs) {
  FloatLanes below{};
  for (std::int64_t f = 0; f < shape.fields; ++f) {
    FloatLanes value;
    load_lanes(v + f * shape.dim, value);
    pairs += value * below;
    below += value;
  }
}

struct Forward {
  [[gnu::always_inline]] static void run(const FmArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const FmShape shape = a->shape;
    for (std::int64_t b = begin; b < end; ++b) {
      const float* v = a->v + b * shape.fields * shape.dim;
      FloatLanes lanes{};
      std::int64_t d = 0;
      for (; d + 8 <= shape.dim; d += 8) {
        add_pairs(shape, v + d, lanes);
      }
      float sum = sum_lanes(lanes);
      for (; d < shape.dim; ++d) {
        sum += pairs_of_column(shape, v + d);
      }
      a->y[b] = sum;
    }
  }
};

// Eight columns of the gradient. All fields are read before the first is written: dv may be v.
[[gnu::always_inline]] inline void differentiate(const FmShape& shape, const float* v, float dy,
                                                 float* dv) {
  FloatLanes sum{};
  for (std::int64_t f = 0; f < shape.fields; ++f) {
    FloatLanes value;
    load_lanes(v + f * shape.dim, value);
    sum += value;
  }
  for (std::int64_t f = 0; f < shape.fields; ++f) {
    FloatLanes value;
    load_lanes(v + f * shape.dim, value);
    store_lanes(dy * (sum - value), dv + f * shape.dim);
  }
}

[[gnu::always_inline]] inline void differentiate_column(const FmShape& shape, const float* v,
                                                        float dy, float* dv) {
  float sum = 0.0F;
  for (std::int64_t f = 0; f < shape.fields; ++f) {
    sum += v[f * shape.dim];
  }
  for (std::int64_t f = 0; f < shape.fields; ++f) {
    dv[f * shape.dim] = dy * (sum - v[f * shape.dim]);
  }
}

struct Backward {
  [[gnu::always_inline]] static void run(const FmBackwardArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const FmShape shape = a->shape;
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t first = b * shape.fields * shape.dim;
      std::int64_t d = 0;
      for (; d + 8 <= shape.dim; d += 8) {
        differentiate(shape, a->v + first + d, a->dy[b], a->dv + first + d);
      }
      for (; d < shape.dim; ++d) {
        differentiate_column(shape, a->v + first + d, a->dy[b], a->dv + first + d);
      }
    }
  }
};

}  // namespace

void fm_interaction_cpu(const FmArguments& arguments, std::int64_t begin, std::int64_t end) {
  run_best<Forward>(&arguments, begin, end);
}

void fm_interaction_backward_cpu(const FmBackwardArguments& arguments, std::int64_t begin,
                                 std::int64_t end) {
  run_best<Backward>(&arguments, begin, end);
}

}  // namespace rallrec::kernels::detail
