#pragma once

#include <cstddef>
#include <vector>

#include "nccl.h"
#include "tests/support/simt/random.h"

namespace rallrec::simt {

using Bytes = std::vector<unsigned char>;

// The element-wise reduction of equally long inputs. NCCL promises no order of additions, so here
// the order is drawn anew for every run of 64 elements; a NaN is lost in min and max, as it may be
// there. Empty where type or operation is not known.
Bytes reduce_in_some_order(const std::vector<Bytes>& inputs, ncclDataType_t type, ncclRedOp_t op,
                           Random& random);

}  // namespace rallrec::simt
