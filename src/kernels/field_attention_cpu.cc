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

// For what eight lanes leave of a head's columns.
using FourLanes [[gnu::vector_size(16)]] = float;

template <typename Lanes>
[[gnu::always_inline]] inline void weighted_lanes(const float* weights, std::int64_t step,
                                                  const float* rows, std::int64_t stride,
                                                  std::int64_t count, float* to) {
  Lanes sum{};
  for (std::int64_t r = 0; r < count; ++r) {
    Lanes row;
    load_lanes(rows + r * stride, row);
    sum += weights[r * step] * row;
  }
  store_lanes(sum, to);
}

// to[c] = Σ_r weights[r · step] · rows[r, c], in order of r.
[[gnu::always_inline]] inline void weighted_sum(const float* weights, std::int64_t step,
                                                const Rows& rows, std::int64_t count,
                                                std::int64_t columns, float* to) {
  std::int64_t c = 0;
  for (; c + 8 <= columns; c += 8) {
    weighted_lanes<FloatLanes>(weights, step, rows.data + c, rows.stride, count, to + c);
  }
  if (c + 4 <= columns) {
    weighted_lanes<FourLanes>(weights, step, rows.data + c, rows.stride, count, to + c);
    c += 4;
  }
  for (; c < columns; ++c) {
    float sum = 0.0F;
    for (std::int64_t r = 0; r < count; ++r) {
      sum += weights[r * step] * rows.data[r * rows.stride + c];
    }
    to[c] = sum;
  }
}

// Fields of a sample, filled up to whole lanes.
std::int64_t padded(std::int64_t fields) { return (fields + 7) / 8 * 8; }

// to [columns, padded(count)] = rows [count, columns] transposed. What fills up stays as it is.
[[gnu::always_inline]] inline void transpose(const Rows& rows, std::int64_t count,
                                             std::int64_t columns, std::int64_t wide, float* to) {
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      to[c * wide + r] = rows.data[r * rows.stride + c];
    }
  }
}

// to[j] = scale · Σ_c x[c] · columns[c, j] for all `wide` j: the dot products of a vector with all
// fields at once. Even and odd c apart, which shortens the chain of additions.
[[gnu::always_inline]] inline void dots(const float* x, const float* columns, std::int64_t size,
                                        std::int64_t wide, float scale, float* to) {
  for (std::int64_t j = 0; j < wide; j += 8) {
    FloatLanes sums[2] = {};
    std::int64_t c = 0;
    for (; c + 2 <= size; c += 2) {
      for (std::int64_t odd = 0; odd < 2; ++odd) {
        FloatLanes column;
        load_lanes(columns + (c + odd) * wide + j, column);
        sums[odd] += x[c + odd] * column;
      }
    }
    if (c < size) {
      FloatLanes column;
      load_lanes(columns + c * wide + j, column);
      sums[0] += x[c] * column;
    }
    store_lanes((sums[0] + sums[1]) * scale, to + j);
  }
}

// Of the first `count` of x, which has whole lanes.
[[gnu::always_inline]] inline void softmax(std::int64_t count, float* x) {
  const float largest = largest_of(x, count);
  float sum = 0.0F;
  for (std::int64_t j = 0; j < count; j += 8) {
    FloatLanes power;
    load_lanes(x + j, power);
    power = power - largest;
    exp_lanes(power);
    store_lanes(power, x + j);
    for (std::int64_t l = j; l < std::min(j + 8, count); ++l) {
      sum += x[l];
    }
  }
  const float factor = 1.0F / sum;
  for (std::int64_t j = 0; j < count; ++j) {
    x[j] *= factor;
  }
}

// `room`: a row of scores and the transposed keys, padded(fields) · (1 + size) zeros.
struct Forward {
  [[gnu::always_inline]] static void run(const FieldAttentionArguments* a, std::int64_t begin,
                                         std::int64_t end, std::int64_t wide, float* room) {
    const FieldAttentionShape s = a->shape;
    float* const scores = room;
    float* const keys = room + wide;
    for (std::int64_t b = begin; b < end; ++b) {
      for (std::int64_t h = 0; h < s.heads; ++h) {
        const std::int64_t first = b * s.fields * s.stride + h * s.size;
        float* weights = a->weights + (b * s.heads + h) * s.fields * s.fields;
        transpose({a->in.k + first, s.stride}, s.fields, s.size, wide, keys);
        for (std::int64_t i = 0; i < s.fields; ++i) {
          dots(a->in.q + first + i * s.stride, keys, s.size, wide, s.scale, scores);
          softmax(s.fields, scores);
          for (std::int64_t j = 0; j < s.fields; ++j) {
            weights[i * s.fields + j] = scores[j];
          }
          weighted_sum(scores, 1, {a->in.v + first, s.stride}, s.fields, s.size,
                       a->y + (b * s.fields + i) * s.width() + h * s.size);
        }
      }
    }
  }
};

// ds [fields, wide] of one head, times the scale; `values` are transposed.
[[gnu::always_inline]] inline void score_gradients(const FieldAttentionShape& s,
                                                   const float* weights, const float* values,
                                                   std::int64_t wide, const Rows& dy, float* ds) {
  for (std::int64_t i = 0; i < s.fields; ++i) {
    const float* a = weights + i * s.fields;
    float* row = ds + i * wide;
    dots(dy.data + i * dy.stride, values, s.size, wide, 1.0F, row);
    float mean = 0.0F;
    for (std::int64_t j = 0; j < s.fields; ++j) {
      mean += a[j] * row[j];
    }
    for (std::int64_t j = 0; j < s.fields; ++j) {
      row[j] = s.scale * a[j] * (row[j] - mean);
    }
  }
}

// `room`: ds and the transposed values, padded(fields) · (fields + size) zeros.
struct Backward {
  [[gnu::always_inline]] static void run(const FieldAttentionBackwardArguments* a,
                                         std::int64_t begin, std::int64_t end, std::int64_t wide,
                                         float* room) {
    const FieldAttentionShape s = a->shape;
    const std::int64_t m = s.fields;
    float* const ds = room;
    float* const values = room + m * wide;
    for (std::int64_t b = begin; b < end; ++b) {
      for (std::int64_t h = 0; h < s.heads; ++h) {
        const std::int64_t first = b * m * s.stride + h * s.size;
        const float* weights = a->weights + (b * s.heads + h) * m * m;
        const Rows q{a->in.q + first, s.stride};
        const Rows k{a->in.k + first, s.stride};
        const Rows dy{a->dy + b * m * s.width() + h * s.size, s.width()};
        transpose({a->in.v + first, s.stride}, m, s.size, wide, values);
        score_gradients(s, weights, values, wide, dy, ds);
        for (std::int64_t i = 0; i < m; ++i) {
          const std::int64_t row = first + i * s.stride;
          weighted_sum(ds + i * wide, 1, k, m, s.size, a->out.dq + row);
          weighted_sum(ds + i, wide, q, m, s.size, a->out.dk + row);
          weighted_sum(weights + i, m, dy, m, s.size, a->out.dv + row);
        }
      }
    }
  }
};

}  // namespace

void field_attention_cpu(const FieldAttentionArguments& arguments, std::int64_t begin,
                         std::int64_t end) {
  const FieldAttentionShape& shape = arguments.shape;
  const std::int64_t wide = padded(shape.fields);
  std::vector<float> room(static_cast<std::size_t>(wide * (1 + shape.size)));
  run_best<Forward>(&arguments, begin, end, wide, room.data());
}

void field_attention_backward_cpu(const FieldAttentionBackwardArguments& arguments,
                                  std::int64_t begin, std::int64_t end) {
  const FieldAttentionShape& shape = arguments.shape;
  const std::int64_t wide = padded(shape.fields);
  std::vector<float> room(static_cast<std::size_t>(wide * (shape.fields + shape.size)));
  run_best<Backward>(&arguments, begin, end, wide, room.data());
}

}  // namespace rallrec::kernels::detail
