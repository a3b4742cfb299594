#pragma once

#include <cstdint>

#include "kernels/embedding_bag.h"

namespace rallrec::kernels::detail {

// Bags [begin, end).
void embedding_bag_cpu(const BagShape& shape, const Bags& bags, const float* table, float* y,
                       std::int64_t begin, std::int64_t end);
void embedding_bag_backward_cpu(const BagShape& shape, const Bags& bags, const float* dy,
                                float* dtable);

}  // namespace rallrec::kernels::detail
