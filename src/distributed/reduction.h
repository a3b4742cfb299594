#pragma once

#include <cstddef>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// accumulator[i] = op(accumulator[i], value[i]) for i in [0, count). Integer sums wrap; a NaN on
// either side of min or max gives NaN, so that it cannot be reduced away. The ranges do not
// overlap.
void reduce_into(void* accumulator, const void* value, std::size_t count, DType dtype, ReduceOp op);

// output = op over pieces[0], pieces[1], … in this order, where piece r starts at pieces + r *
// count elements. `parts` is positive.
void reduce_pieces(void* output, const void* pieces, int parts, std::size_t count, DType dtype,
                   ReduceOp op);

}  // namespace rallrec::distributed
