#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/embedding_pool.h"

namespace rallrec::ops {

// x fp32 [tokens, columns] on the CPU, offsets [sequences + 1] -> fp32 [sequences, columns].
at::Tensor embedding_pool(const at::Tensor& x, const std::vector<std::int64_t>& offsets,
                          kernels::Pooling pooling);

}  // namespace rallrec::ops
