#include <algorithm>
#include <cmath>

#include "kernels/attention_cpu.h"
#include "kernels/simd.h"
#include "kernels/small_matmul.h"

namespace rallrec::kernels::detail {
namespace {

// Dimensions of one (sequence, key/value head).
struct HeadShape {
  std::int64_t keys;
  std::int64_t head_dim;
  std::int64_t stride;     // between tokens of q, o and their gradients
  std::int64_t kv_stride;  // between tokens of k, v and their gradients
  std::int64_t lse_stride;
  std::int64_t ld;  // between rows of scores
};

struct HeadData {
  const float* q;
  const float* k;
  const float* v;
  const float* o;
  const float* lse;
  const float* d_o;
  float* dq;
  float* dk;
  float* dv;
};

struct Scratch {
  float* keys;    // [head_dim, ld] keys, one per column
  float* values;  // [head_dim, ld]
  float* p;       // [block, ld] probabilities
  float* ds;      // [block, ld] gradient of the scores
};

[[gnu::always_inline]] inline void transpose(const float* from, const HeadShape& shape, float* to) {
  for (std::int64_t c = 0; c < shape.head_dim; ++c) {
    std::fill(to + c * shape.ld + shape.keys, to + (c + 1) * shape.ld, 0.0F);
  }
  for (std::int64_t j = 0; j < shape.keys; ++j) {
    for (std::int64_t c = 0; c < shape.head_dim; ++c) {
      to[c * shape.ld + j] = from[j * shape.kv_stride + c];
    }
  }
}

// p = exp(scale · s - lse) and ds = p · (dp - delta) · scale on the `seen` first keys, zero beyond.
template <typename Lanes>
[[gnu::always_inline]] inline void score_gradient(float* p, float* ds, std::int64_t seen,
                                                  std::int64_t width, float scale, float lse,
                                                  float delta) {
  std::int64_t j = 0;
  for (; j < seen; j += kLanesOf<Lanes>) {
    Lanes x;
    Lanes y;
    load_lanes(p + j, x);
    load_lanes(ds + j, y);
    x = x * scale - lse;
    exp_lanes(x);
    y = x * (y - delta) * scale;
    store_lanes(x, p + j);
    store_lanes(y, ds + j);
  }
  std::fill(p + seen, p + width, 0.0F);
  std::fill(ds + seen, ds + width, 0.0F);
}

// Query rows [begin, begin + rows) of one query head.
template <typename Lanes>
[[gnu::always_inline]] inline void run_block(const HeadShape& shape, const AttentionSequence& s,
                                             const HeadData& x, std::int64_t begin,
                                             std::int64_t rows, const Scratch& scratch) {
  const std::int64_t d = shape.head_dim;
  const float scale = 1.0F / std::sqrt(static_cast<float>(d));
  const std::int64_t keys = s.seen(begin + rows - 1, 0);
  const std::int64_t width = padded_keys(keys);
  const float* q = x.q + begin * shape.stride;
  const float* d_o = x.d_o + begin * shape.stride;
  small_matmul(rows, width, d, {q, shape.stride, 1}, scratch.keys, shape.ld, scratch.p, shape.ld,
               false);
  small_matmul(rows, width, d, {d_o, shape.stride, 1}, scratch.values, shape.ld, scratch.ds,
               shape.ld, false);
  for (std::int64_t i = 0; i < rows; ++i) {
    const float delta = dot<Lanes>(x.o + (begin + i) * shape.stride, d_o + i * shape.stride, d);
    score_gradient<Lanes>(scratch.p + i * shape.ld, scratch.ds + i * shape.ld, s.seen(begin + i, 0),
                          width, scale, x.lse[(begin + i) * shape.lse_stride], delta);
  }
  small_matmul(rows, d, keys, {scratch.ds, shape.ld, 1}, x.k, shape.kv_stride,
               x.dq + begin * shape.stride, shape.stride, false);
  small_matmul(keys, d, rows, {scratch.ds, 1, shape.ld}, q, shape.stride, x.dk, shape.kv_stride,
               true);
  small_matmul(keys, d, rows, {scratch.p, 1, shape.ld}, d_o, shape.stride, x.dv, shape.kv_stride,
               true);
}

[[gnu::always_inline]] inline void clear_rows(float* data, const HeadShape& shape) {
  for (std::int64_t j = 0; j < shape.keys; ++j) {
    std::fill(data + j * shape.kv_stride, data + j * shape.kv_stride + shape.head_dim, 0.0F);
  }
}

[[gnu::always_inline]] inline HeadData head_data(const AttentionBackwardArguments& a,
                                                 std::int64_t row, std::int64_t kv_row) {
  const std::int64_t d = a.shape.head_dim;
  return {a.q + row * d,
          a.k + kv_row * d,
          a.v + kv_row * d,
          a.o + row * d,
          a.lse + row,
          a.d_o + row * d,
          a.gradients.dq + row * d,
          a.gradients.dk + kv_row * d,
          a.gradients.dv + kv_row * d};
}

template <typename Lanes>
struct BackwardHead {
  [[gnu::always_inline]] static void run(const AttentionBackwardArguments* a,
                                         const AttentionSequence* s, std::int64_t kv_head,
                                         float* memory) {
    const AttentionShape& attention = a->shape;
    const std::int64_t group = attention.heads / attention.kv_heads;
    const std::int64_t d = attention.head_dim;
    const std::int64_t ld = padded_keys(s->keys);
    const HeadShape shape{s->keys,         d, attention.heads * d, attention.kv_heads * d,
                          attention.heads, ld};
    const Scratch scratch{memory, memory + d * ld, memory + 2 * d * ld,
                          memory + (2 * d + kQueryBlock) * ld};
    const std::int64_t kv_row = s->key_begin * attention.kv_heads + kv_head;
    for (std::int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      const HeadData x = head_data(*a, s->query_begin * attention.heads + h, kv_row);
      if (h == kv_head * group) {
        clear_rows(x.dk, shape);
        clear_rows(x.dv, shape);
        transpose(x.k, shape, scratch.keys);
        transpose(x.v, shape, scratch.values);
      }
      for (std::int64_t begin = 0; begin < s->queries; begin += kQueryBlock) {
        run_block<Lanes>(shape, *s, x, begin, std::min(kQueryBlock, s->queries - begin), scratch);
      }
    }
  }
};

}  // namespace

std::int64_t attention_backward_scratch(const AttentionShape& shape, std::int64_t keys) {
  return 2 * (shape.head_dim + kQueryBlock) * padded_keys(keys);
}

void attention_backward_head_cpu(const AttentionBackwardArguments& arguments,
                                 const AttentionSequence& sequence, std::int64_t kv_head,
                                 float* scratch) {
  if (sequence.keys > 0) {
    run_best_lanes<BackwardHead>(&arguments, &sequence, kv_head, scratch);
  }
}

}  // namespace rallrec::kernels::detail
