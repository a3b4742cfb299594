#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

enum class TableType { kFloat32, kBfloat16 };

// y[i] = table[ids[i]], widened to fp32. table is [rows, columns] of `type`, y fp32 [count,
// columns]. Throws where an id is not a row. On a CUDA queue all pointers are device memory, the
// call only enqueues, and an id that is not a row gives a row of NaN. The gradient is
// segment_sum.h.
void embedding_gather(const Queue& queue, TableType type, const void* table, std::int64_t rows,
                      std::int64_t columns, const std::int64_t* ids, std::int64_t count, float* y);

inline Work embedding_gather_work(TableType type, std::int64_t count, std::int64_t columns) {
  const std::int64_t per_value = type == TableType::kFloat32 ? 4 : 2;
  return {count * (columns * (per_value + 4) + 8), 0};
}

}  // namespace rallrec::kernels
