#pragma once

#include <cstdint>

#include "kernels/embedding_pool.h"

namespace rallrec::kernels::detail {

struct PoolArguments {
  PoolRule rule;
  const std::int64_t* offsets;
  std::int64_t columns;
  PoolInput input;
  float* y;
};

// Sequences [begin, end).
void embedding_pool_cpu(const PoolArguments& arguments, std::int64_t begin, std::int64_t end);

}  // namespace rallrec::kernels::detail
