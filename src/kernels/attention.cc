#include "kernels/attention.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/attention_cpu.h"
#include "kernels/attention_gpu.h"

namespace rallrec::kernels {
namespace {

// Rows of a sequence are numbered by ints there.
constexpr std::int64_t kMostGpuRows = std::int64_t{1} << 30;

void check_shape(const Queue& queue, const AttentionShape& shape) {
  RALLREC_CHECK(shape.kv_heads > 0 && shape.head_dim > 0 && shape.heads > 0 &&
                    shape.heads % shape.kv_heads == 0,
                "attention: heads must be a positive multiple of kv_heads");
  RALLREC_CHECK(queue.device != Device::kCuda || shape.head_dim <= detail::kMostAttentionWidth,
                "attention: on a GPU head_dim must be at most 256");
}

// Positions that the host can read.
void check_positions(const AttentionSequence& sequence, std::int64_t prefix) {
  std::int64_t seen = 1;
  for (std::int64_t i = 0; i < sequence.queries; ++i) {
    RALLREC_CHECK(sequence.seen(i, prefix) >= seen,
                  "attention: a query sees no key, or the positions do not ascend");
    seen = sequence.seen(i, prefix);
  }
  RALLREC_CHECK(sequence.queries == 0 || seen <= prefix + sequence.keys,
                "attention: a query stands behind its sequence");
}

void check_sequences(const Queue& queue, const AttentionShape& shape,
                     const std::vector<AttentionSequence>& sequences, std::int64_t prefix) {
  for (const AttentionSequence& sequence : sequences) {
    RALLREC_CHECK(sequence.queries >= 0 && sequence.keys >= 0, "attention: a count is negative");
    if (queue.device == Device::kCpu || sequence.positions == nullptr) {
      check_positions(sequence, prefix);
    }
    RALLREC_CHECK(
        queue.device == Device::kCpu || std::max(sequence.queries * (shape.heads / shape.kv_heads),
                                                 prefix + sequence.keys) <= kMostGpuRows,
        "attention: a sequence is too long for a GPU");
  }
}

std::int64_t longest(const std::vector<AttentionSequence>& sequences, std::int64_t prefix) {
  std::int64_t keys = 0;
  for (const AttentionSequence& sequence : sequences) {
    keys = std::max(keys, sequence.keys);
  }
  return prefix + keys;
}

// Calls body(sequence, kv_head, scratch) for all pairs; each pair is one thread's work.
template <typename Body>
void for_each_head(const AttentionShape& shape, const std::vector<AttentionSequence>& sequences,
                   std::int64_t scratch_floats, const Body& body) {
  const auto pairs = static_cast<std::int64_t>(sequences.size()) * shape.kv_heads;
  parallel_for(pairs, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scratch(static_cast<std::size_t>(scratch_floats));
    for (std::int64_t pair = begin; pair < end; ++pair) {
      body(sequences[static_cast<std::size_t>(pair / shape.kv_heads)], pair % shape.kv_heads,
           scratch.data());
    }
  });
}

}  // namespace

void attention(const Queue& queue, const AttentionShape& shape,
               const std::vector<AttentionSequence>& sequences, const AttentionPrefix& prefix,
               const float* q, const float* k, const float* v, float* o, float* lse) {
  check_shape(queue, shape);
  check_sequences(queue, shape, sequences, prefix.rows);
  const detail::AttentionArguments arguments{shape, prefix, q, k, v, o, lse};
  if (queue.device == Device::kCuda) {
    detail::attention_gpu(queue, arguments, sequences);
    return;
  }
  const std::int64_t keys = longest(sequences, prefix.rows);
  for_each_head(shape, sequences, detail::attention_scratch(shape, keys),
                [&](const AttentionSequence& sequence, std::int64_t kv_head, float* scratch) {
                  detail::attention_head_cpu(arguments, sequence, kv_head, scratch);
                });
}

void attention_backward(const Queue& queue, const AttentionShape& shape,
                        const std::vector<AttentionSequence>& sequences, const float* q,
                        const float* k, const float* v, const float* o, const float* lse,
                        const float* d_o, const AttentionGradients& gradients) {
  check_shape(queue, shape);
  check_sequences(queue, shape, sequences, 0);
  const detail::AttentionBackwardArguments arguments{shape, q, k, v, o, lse, d_o, gradients};
  if (queue.device == Device::kCuda) {
    detail::attention_backward_gpu(queue, arguments, sequences);
    return;
  }
  const std::int64_t keys = longest(sequences, 0);
  for_each_head(shape, sequences, detail::attention_backward_scratch(shape, keys),
                [&](const AttentionSequence& sequence, std::int64_t kv_head, float* scratch) {
                  detail::attention_backward_head_cpu(arguments, sequence, kv_head, scratch);
                });
}

}  // namespace rallrec::kernels
