#pragma once

#include <cstdint>

namespace rallrec::models::llm {

// W [out, in] as int8 with one fp32 scale per output row (absmax / 127), in somebody else's memory.
struct Int8View {
  std::int64_t out = 0;
  std::int64_t in = 0;
  const std::int8_t* packed = nullptr;  // W_qᵀ by kernels::pack_int8: columns of depth `in`
  const float* scale = nullptr;         // [out]
};

}  // namespace rallrec::models::llm
