#include <algorithm>
#include <cmath>

#include "kernels/attention_cpu.h"
#include "kernels/simd.h"
#include "kernels/small_matmul.h"

namespace rallrec::kernels::detail {
namespace {

// Rows that share a block of scores: either consecutive tokens of one query head, or, for a single
// token, the query heads of one group.
struct RowBlock {
  const float* q;
  float* o;
  float* lse;
  std::int64_t rows;
  std::int64_t stride;      // between rows of q and of o
  std::int64_t lse_stride;  // between rows of lse
};

// The keys and values of one head: a shared segment, then the sequence's own.
struct Segments {
  const float* k[2];
  const float* v[2];
  std::int64_t rows[2];
  std::int64_t stride;
};

// to [head_dim, ld] = the keys of both segments, one per column; padding columns are zero.
[[gnu::always_inline]] inline void transpose_keys(const Segments& keys, std::int64_t head_dim,
                                                  std::int64_t ld, float* to) {
  std::int64_t column = 0;
  for (int segment = 0; segment < 2; ++segment) {
    for (std::int64_t j = 0; j < keys.rows[segment]; ++j, ++column) {
      const float* row = keys.k[segment] + j * keys.stride;
      for (std::int64_t c = 0; c < head_dim; ++c) {
        to[c * ld + column] = row[c];
      }
    }
  }
  for (; column < ld; ++column) {
    for (std::int64_t c = 0; c < head_dim; ++c) {
      to[c * ld + column] = 0.0F;
    }
  }
}

// scores[j] = q · k_j for single rows, where turning the keys around would cost more than it saves.
template <typename Lanes>
[[gnu::always_inline]] inline void scores_by_dot(const float* q, const Segments& keys,
                                                 std::int64_t head_dim, float* scores) {
  for (int segment = 0; segment < 2; ++segment) {
    for (std::int64_t j = 0; j < keys.rows[segment]; ++j) {
      *scores++ = dot<Lanes>(q, keys.k[segment] + j * keys.stride, head_dim);
    }
  }
}

// scores[0, seen) becomes exp(scale · (s - max)), scores[seen, width) zero. Returns the sum;
// `maximum` is the largest scaled score. Rows are readable up to whole lanes.
template <typename Lanes>
[[gnu::always_inline]] inline float exponentials(float* scores, std::int64_t seen,
                                                 std::int64_t width, float scale, float& maximum) {
  const float largest = largest_of<Lanes>(scores, seen);
  Lanes sums{};
  const std::int64_t whole = seen / kLanesOf<Lanes> * kLanesOf<Lanes>;
  for (std::int64_t j = 0; j < whole; j += kLanesOf<Lanes>) {
    Lanes x;
    load_lanes(scores + j, x);
    x = (x - largest) * scale;
    exp_lanes(x);
    sums += x;
    store_lanes(x, scores + j);
  }
  if (whole < seen) {
    Lanes x;
    load_first(scores + whole, seen - whole, largest, x);
    x = (x - largest) * scale;
    exp_lanes(x);
    store_lanes(x, scores + whole);
    keep_first(seen - whole, x);
    sums += x;
  }
  std::fill(scores + seen, scores + width, 0.0F);
  maximum = largest * scale;
  return sum_lanes(sums);
}

// Turns the block's scores into outputs. Row i sees the first seen(i) keys.
template <typename Lanes, typename Seen>
[[gnu::always_inline]] inline void finish_block(const RowBlock& block, const Segments& keys,
                                                std::int64_t head_dim, const Seen& seen,
                                                std::int64_t width, std::int64_t ld, float* scores,
                                                float* sums) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(head_dim));
  for (std::int64_t i = 0; i < block.rows; ++i) {
    float maximum;
    sums[i] = exponentials<Lanes>(scores + i * ld, seen(i), width, scale, maximum);
    if (block.lse != nullptr) {
      block.lse[i * block.lse_stride] = maximum + std::log(sums[i]);
    }
  }
  const std::int64_t shared = std::min(keys.rows[0], width);
  small_matmul(block.rows, head_dim, shared, {scores, ld, 1}, keys.v[0], keys.stride, block.o,
               block.stride, false);
  small_matmul(block.rows, head_dim, std::min(width - shared, keys.rows[1]),
               {scores + shared, ld, 1}, keys.v[1], keys.stride, block.o, block.stride, true);
  for (std::int64_t i = 0; i < block.rows; ++i) {
    const float factor = 1.0F / sums[i];
    for (std::int64_t c = 0; c < head_dim; ++c) {
      block.o[i * block.stride + c] *= factor;
    }
  }
}

struct Scratch {
  float* keys;
  float* scores;
  float* sums;
};

// All tokens of one query head, a block of rows at a time. Row i sees the first seen(i) keys.
template <typename Lanes, typename Seen>
[[gnu::always_inline]] inline void run_query_head(const RowBlock& all, const Segments& keys,
                                                  std::int64_t head_dim, const Seen& seen,
                                                  std::int64_t ld, const Scratch& scratch) {
  for (std::int64_t begin = 0; begin < all.rows; begin += kQueryBlock) {
    RowBlock block = all;
    block.rows = std::min(kQueryBlock, all.rows - begin);
    block.q += begin * all.stride;
    block.o += begin * all.stride;
    block.lse = all.lse == nullptr ? nullptr : all.lse + begin * all.lse_stride;
    const std::int64_t width = padded_keys(seen(begin + block.rows - 1));
    small_matmul(block.rows, width, head_dim, {block.q, block.stride, 1}, scratch.keys, ld,
                 scratch.scores, ld, false);
    finish_block<Lanes>(
        block, keys, head_dim, [&](std::int64_t i) { return seen(begin + i); }, width, ld,
        scratch.scores, scratch.sums);
  }
}

template <typename Lanes>
struct ForwardHead {
  [[gnu::always_inline]] static void run(const AttentionArguments* a, const AttentionSequence* s,
                                         std::int64_t kv_head, float* memory) {
    const AttentionShape& shape = a->shape;
    const std::int64_t group = shape.heads / shape.kv_heads;
    const std::int64_t d = shape.head_dim;
    const std::int64_t kv_stride = shape.kv_heads * d;
    // Keys behind the last query are seen by none.
    const std::int64_t total = s->seen(s->queries - 1, a->prefix.rows);
    const std::int64_t shared = std::min(a->prefix.rows, total);
    const std::int64_t ld = padded_keys(total);
    const std::int64_t kv = s->key_begin * kv_stride + kv_head * d;
    const Segments keys{{a->prefix.k + kv_head * d, a->k + kv},
                        {a->prefix.v + kv_head * d, a->v + kv},
                        {shared, total - shared},
                        kv_stride};
    const Scratch scratch{memory, memory + d * ld,
                          memory + (d + std::max(kQueryBlock, group)) * ld};
    const std::int64_t first_head = kv_head * group;
    const std::int64_t row = s->query_begin * shape.heads + first_head;
    float* lse = a->lse == nullptr ? nullptr : a->lse + row;
    if (s->queries == 1) {
      const RowBlock block{a->q + row * d, a->o + row * d, lse, group, d, 1};
      for (std::int64_t i = 0; i < group; ++i) {
        scores_by_dot<Lanes>(block.q + i * d, keys, d, scratch.scores + i * ld);
      }
      finish_block<Lanes>(
          block, keys, d, [total](std::int64_t) { return total; }, ld, ld, scratch.scores,
          scratch.sums);
      return;
    }
    const auto seen = [&](std::int64_t i) { return s->seen(i, a->prefix.rows); };
    transpose_keys(keys, d, ld, scratch.keys);
    for (std::int64_t h = 0; h < group; ++h) {
      const RowBlock all{
          a->q + (row + h) * d, a->o + (row + h) * d, lse == nullptr ? nullptr : lse + h,
          s->queries,           shape.heads * d,      shape.heads};
      run_query_head<Lanes>(all, keys, d, seen, ld, scratch);
    }
  }
};

}  // namespace

std::int64_t attention_scratch(const AttentionShape& shape, std::int64_t keys) {
  const std::int64_t rows = std::max(kQueryBlock, shape.heads / shape.kv_heads);
  return (shape.head_dim + rows) * padded_keys(keys) + rows;
}

void attention_head_cpu(const AttentionArguments& arguments, const AttentionSequence& sequence,
                        std::int64_t kv_head, float* scratch) {
  if (sequence.queries > 0) {
    run_best_lanes<ForwardHead>(&arguments, &sequence, kv_head, scratch);
  }
}

}  // namespace rallrec::kernels::detail
