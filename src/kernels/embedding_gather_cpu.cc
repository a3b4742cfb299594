#include "kernels/embedding_gather_cpu.h"

#include <algorithm>
#include <cstring>

namespace rallrec::kernels::detail {

void gather_float32_cpu(const float* table, std::int64_t columns, const std::int64_t* ids,
                        std::int64_t begin, std::int64_t end, float* y) {
  for (std::int64_t i = begin; i < end; ++i) {
    std::copy_n(table + ids[i] * columns, columns, y + i * columns);
  }
}

void gather_bfloat16_cpu(const std::uint16_t* table, std::int64_t columns, const std::int64_t* ids,
                         std::int64_t begin, std::int64_t end, float* y) {
  for (std::int64_t i = begin; i < end; ++i) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::uint32_t bits = std::uint32_t{table[ids[i] * columns + c]} << 16;
      std::memcpy(y + i * columns + c, &bits, sizeof(bits));
    }
  }
}

}  // namespace rallrec::kernels::detail
