#pragma once

#include <algorithm>
#include <cstdint>

#include "core/parallel_for.h"

namespace rallrec::kernels {

// Calls body(begin, end) on threads for ranges of elements that cover [0, count). All but the last
// end with a block of whole vectors: the last elements of a range go through another code path than
// the rest, so ranges must not end where the number of threads says.
template <typename Body>
void for_vector_blocks(std::int64_t count, const Body& body) {
  constexpr std::int64_t kBlock = 4096;
  parallel_for((count + kBlock - 1) / kBlock, 2, [&](std::int64_t begin, std::int64_t end) {
    body(begin * kBlock, std::min(end * kBlock, count));
  });
}

}  // namespace rallrec::kernels
