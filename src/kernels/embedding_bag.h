#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Weighted sums of rows of a table, as the features of a sample want them: one row of weight 1 for
// a word, rows of weight 1/n for a list of n, a row times the value for a number.
struct BagShape {
  std::int64_t bags = 0;
  std::int64_t columns = 0;  // of a result
  std::int64_t stride = 0;   // floats from a row of the table to the next, at least columns
  // Floats from a result to the next, at least columns; 0 = columns.
  std::int64_t result_stride = 0;

  std::int64_t to_next() const { return result_stride == 0 ? columns : result_stride; }
};

// Bag b holds entries [offsets[b], offsets[b + 1]); each names a row of the table and its weight.
struct Bags {
  const std::int64_t* offsets;  // [bags + 1]
  const std::int32_t* ids;
  const float* weights;
};

// y[b, :] = Σ_e weights[e] · table[ids[e], 0 … columns), fp32 [bags, columns], the entries in their
// order; an empty bag gives zeros. A bag's bits do not depend on the others. On a CUDA queue all
// pointers are device memory and the call only enqueues. Throws Error on a negative size and on a
// stride below columns. Ids are taken as they are: they must be rows.
void embedding_bag(const Queue& queue, const BagShape& shape, const Bags& bags, const float* table,
                   float* y);

// dtable[ids[e], 0 … columns) += weights[e] · dy[b, :], entry by entry in their order, on the
// calling thread: what a block of a batch does, beside others. dy is contiguous. CPU only; on a GPU
// the gradient is embedding_bag of dy by the entries of turned_bags, with the bits of this order.
void embedding_bag_backward(const Queue& queue, const BagShape& shape, const Bags& bags,
                            const float* dy, float* dtable);

// The entries by row of the table: row r is a bag of the bags that name it, in their order.
struct TurnedBags {
  std::vector<std::int64_t> offsets;  // [rows + 1]
  std::vector<std::int32_t> ids;      // bags
  std::vector<float> weights;
};
// On the host, from host memory. `rows` is the number of rows of the table.
TurnedBags turned_bags(std::int64_t bags, const Bags& of, std::int64_t rows);

inline Work embedding_bag_work(const BagShape& s, std::int64_t entries) {
  return {4 * s.columns * (entries + s.bags) + 8 * entries + 8 * s.bags, 2 * entries * s.columns};
}

}  // namespace rallrec::kernels
