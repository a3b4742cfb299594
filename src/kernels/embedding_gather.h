#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

enum class TableType { kFloat32, kBfloat16 };

// y[i] = table[ids[i]], widened to fp32. table is [rows, columns] of `type`, y fp32 [count,
// columns]. Throws where an id is not a row.
void embedding_gather(const Queue& queue, TableType type, const void* table, std::int64_t rows,
                      std::int64_t columns, const std::int64_t* ids, std::int64_t count, float* y);

}  // namespace rallrec::kernels
