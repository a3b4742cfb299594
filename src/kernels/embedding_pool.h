#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/embedding_gather.h"
#include "kernels/work.h"

namespace rallrec::kernels {

enum class Pooling { kMean, kLast };

// The hidden states that are pooled, [tokens, columns], and what is done to each row before.
struct PoolInput {
  TableType type = TableType::kFloat32;
  const void* x = nullptr;
  const float* norm_weight = nullptr;  // [columns]: the row goes through rms_norm; null: as it is
  float norm_eps = 0.0F;
};

struct PoolRule {
  Pooling pooling = Pooling::kMean;
  bool unit_length = false;  // y / ‖y‖₂; a vector of zeros stays
};

// One vector per packed sequence, the mean of its rows or its last row (eq. 2), with the model's
// final RMSNorm and the normalisation of the result fused in.
//
// Sequence s is rows [offsets[s], offsets[s + 1]) of the input and must not be empty; y fp32
// [sequences, columns]. Sums are taken in double in row order. On a CUDA queue all pointers are
// device memory, the call only enqueues, sums over 32 rows are in fp32 and those of the sums in
// double, and a sequence that is empty gives NaN.
void embedding_pool(const Queue& queue, const PoolRule& rule, std::int64_t sequences,
                    const std::int64_t* offsets, std::int64_t columns, const PoolInput& input,
                    float* y);

// Of `tokens` pooled rows: all for kMean, `sequences` for kLast.
inline Work embedding_pool_work(std::int64_t tokens, std::int64_t sequences, std::int64_t columns,
                                TableType type, bool norm) {
  const std::int64_t per_value = type == TableType::kFloat32 ? 4 : 2;
  return {per_value * tokens * columns + 4 * sequences * columns + 8 * (sequences + 1),
          (norm ? 4 : 1) * tokens * columns};
}

}  // namespace rallrec::kernels
