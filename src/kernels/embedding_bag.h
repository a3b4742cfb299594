#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Weighted sums of rows of a table, as the features of a sample want them: one row of weight 1 for
// a word, rows of weight 1/n for a list of n, a row times the value for a number.
struct BagShape {
  std::int64_t bags = 0;
  std::int64_t columns = 0;  // of a result
  std::int64_t stride = 0;   // floats from a row of the table to the next, at least columns
};

// Bag b holds entries [offsets[b], offsets[b + 1]); each names a row of the table and its weight.
struct Bags {
  const std::int64_t* offsets;  // [bags + 1]
  const std::int32_t* ids;
  const float* weights;
};

// y[b, :] = Σ_e weights[e] · table[ids[e], 0 … columns), fp32 [bags, columns], the entries in their
// order; an empty bag gives zeros. A bag's bits do not depend on the others. CPU only; throws Error
// on a negative size and on a stride below columns. Ids are taken as they are: they must be rows.
void embedding_bag(const Queue& queue, const BagShape& shape, const Bags& bags, const float* table,
                   float* y);

// dtable[ids[e], 0 … columns) += weights[e] · dy[b, :], entry by entry in their order, on the
// calling thread: what a block of a batch does, beside others.
void embedding_bag_backward(const Queue& queue, const BagShape& shape, const Bags& bags,
                            const float* dy, float* dtable);

inline Work embedding_bag_work(const BagShape& s, std::int64_t entries) {
  return {4 * s.columns * (entries + s.bags) + 8 * entries + 8 * s.bags, 2 * entries * s.columns};
}

}  // namespace rallrec::kernels
