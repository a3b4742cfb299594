#include "kernels/field_attention_cpu.h"

#include <algorithm>
#include <vector>

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

// `count` rows of `columns` floats, `stride` apart.
struct Rows {
  const float* data;
  std::int64_t stride;
};

// to[c] = Σ_r weights[r · step] · rows[r, c], in order of r.
[[gnu::always_inline]] inline void weighted_sum(const float* weights, std::int64_t step,
                                                const Rows& rows, std::int64_t count,
                                                std::int64_t columns, float* to) {
  for (std::int64_t c = 0; c < columns; c += 8) {
    FloatLanes sum{};
    for (std::int64_t r = 0; r < count; ++r) {
      FloatLanes row;
      load_up_to(rows.data + r * rows.stride + c, columns - c, row);
      sum += weights[r * step] * row;
    }
    store_up_to(sum, columns - c, to + c);
  }
}

[[gnu::always_inline]] inline void softmax(std::int64_t count, float* x) {
  const float largest = largest_of(x, count);
  float sum = 0.0F;
  for (std::int64_t j = 0; j < count; j += 8) {
    FloatLanes power;
    load_up_to(x + j, count - j, power);
    power = power - largest;
    exp_lanes(power);
    store_up_to(power, count - j, x + j);
    for (std::int64_t l = j; l < std::min(j + 8, count); ++l) {
      sum += x[l];
    }
  }
  const float factor = 1.0F / sum;
  for (std::int64_t j = 0; j < count; ++j) {
    x[j] *= factor;
  }
}

struct Forward {
  [[gnu::always_inline]] static void run(const FieldAttentionArguments* a, std::int64_t begin,
                                         std::int64_t end) {
    const FieldAttentionShape s = a->shape;
    for (std::int64_t b = begin; b < end; ++b) {
      for (std::int64_t h = 0; h < s.heads; ++h) {
        const std::int64_t first = b * s.fields * s.stride + h * s.size;
        float* weights = a->weights + (b * s.heads + h) * s.fields * s.fields;
        for (std::int64_t i = 0; i < s.fields; ++i) {
          float* row = weights + i * s.fields;
          const float* q = a->in.q + first + i * s.stride;
          for (std::int64_t j = 0; j < s.fields; ++j) {
            row[j] = s.scale * dot(q, a->in.k + first + j * s.stride, s.size);
          }
          softmax(s.fields, row);
          weighted_sum(row, 1, {a->in.v + first, s.stride}, s.fields, s.size,
                       a->y + (b * s.fields + i) * s.width() + h * s.size);
        }
      }
    }
  }
};

// ds [fields, fields] of one head, times the scale.
[[gnu::always_inline]] inline void score_gradients(const FieldAttentionShape& s,
                                                   const float* weights, const Rows& v,
                                                   const Rows& dy, float* ds) {
  for (std::int64_t i = 0; i < s.fields; ++i) {
    const float* a = weights + i * s.fields;
    float* row = ds + i * s.fields;
    float mean = 0.0F;
    for (std::int64_t j = 0; j < s.fields; ++j) {
      row[j] = dot(dy.data + i * dy.stride, v.data + j * v.stride, s.size);
      mean += a[j] * row[j];
    }
    for (std::int64_t j = 0; j < s.fields; ++j) {
      row[j] = s.scale * a[j] * (row[j] - mean);
    }
  }
}

struct Backward {
  [[gnu::always_inline]] static void run(const FieldAttentionBackwardArguments* a,
                                         std::int64_t begin, std::int64_t end, float* ds) {
    const FieldAttentionShape s = a->shape;
    const std::int64_t m = s.fields;
    for (std::int64_t b = begin; b < end; ++b) {
      for (std::int64_t h = 0; h < s.heads; ++h) {
        const std::int64_t first = b * m * s.stride + h * s.size;
        const float* weights = a->weights + (b * s.heads + h) * m * m;
        const Rows q{a->in.q + first, s.stride};
        const Rows k{a->in.k + first, s.stride};
        const Rows v{a->in.v + first, s.stride};
        const Rows dy{a->dy + b * m * s.width() + h * s.size, s.width()};
        score_gradients(s, weights, v, dy, ds);
        for (std::int64_t i = 0; i < m; ++i) {
          const std::int64_t row = first + i * s.stride;
          weighted_sum(ds + i * m, 1, k, m, s.size, a->out.dq + row);
          weighted_sum(ds + i, m, q, m, s.size, a->out.dk + row);
          weighted_sum(weights + i, m, dy, m, s.size, a->out.dv + row);
        }
      }
    }
  }
};

}  // namespace

void field_attention_cpu(const FieldAttentionArguments& arguments, std::int64_t begin,
                         std::int64_t end) {
  run_best<Forward>(&arguments, begin, end);
}

void field_attention_backward_cpu(const FieldAttentionBackwardArguments& arguments,
                                  std::int64_t begin, std::int64_t end) {
  const std::int64_t fields = arguments.shape.fields;
  std::vector<float> ds(static_cast<std::size_t>(fields * fields));
  run_best<Backward>(&arguments, begin, end, ds.data());
}

}  // namespace rallrec::kernels::detail
