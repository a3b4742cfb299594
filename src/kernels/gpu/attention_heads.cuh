#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <vector>

#include "kernels/attention_arguments.h"

// Which rows belong to a block of an attention kernel. A block serves one key/value head of one
// sequence. The queries of all query heads that read it are one list of rows: row r is query
// r / group with the head's query head r % group, so that a single query still fills `group` rows
// of a tile and keys are staged once for all of them.
namespace rallrec::kernels::gpu {

// Sequences that one launch takes: their list travels with the kernel's arguments, so that nothing
// is copied before it.
constexpr int kListedSequences = 64;
struct SequenceList {
  int count;
  int ends[kListedSequences];  // tiles up to and with each sequence: blocks along x of the grid
  AttentionSequence sequences[kListedSequences];
};

// The sequence of this block, and the number of the block's tile in it.
struct SequenceTile {
  int sequence;
  int tile;
};

__device__ inline SequenceTile tile_of_block(const SequenceList& list) {
  const int block = static_cast<int>(blockIdx.x);
  int low = 0;
  int high = list.count - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (list.ends[middle] <= block) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {low, low == 0 ? block : block - list.ends[low - 1]};
}

// Calls enqueue(list, blocks) for the sequences, as many at a time as a launch takes;
// tiles(sequence) are the blocks that one needs along x.
template <typename Tiles, typename Enqueue>
void for_each_list(const std::vector<AttentionSequence>& sequences, const Tiles& tiles,
                   const Enqueue& enqueue) {
  SequenceList list{};
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const int before = list.count == 0 ? 0 : list.ends[list.count - 1];
    list.sequences[list.count] = sequences[s];
    list.ends[list.count] = before + static_cast<int>(tiles(sequences[s]));
    ++list.count;
    if (list.count == kListedSequences || s + 1 == sequences.size()) {
      enqueue(list, static_cast<unsigned>(list.ends[list.count - 1]));
      list.count = 0;
    }
  }
}

// One key/value head of one sequence. The head is the block's place along y.
struct SequenceHead {
  AttentionSequence sequence;
  int group;
  int rows;
  int keys;  // those of the prefix included

  __device__ SequenceHead(const AttentionShape& shape, const AttentionSequence& s,
                          std::int64_t prefix)
      : sequence(s),
        group(static_cast<int>(shape.heads / shape.kv_heads)),
        rows(static_cast<int>(s.queries) * group),
        keys(static_cast<int>(prefix + s.keys)) {}

  // How many keys a query sees. A position in device memory has been checked by nobody: it is taken
  // to the nearest one that has a key, or to none.
  __device__ int seen_by_query(int query) const {
    if (sequence.positions == nullptr) {
      return keys - static_cast<int>(sequence.queries) + query + 1;
    }
    const std::int64_t position = sequence.positions[query];
    return position < 0 ? min(1, keys) : position < keys ? static_cast<int>(position) + 1 : keys;
  }
  // 0 beyond the last row.
  __device__ int seen_by(int row) const { return row < rows ? seen_by_query(row / group) : 0; }

  // The first row that sees more than `key` keys; `rows` if none does.
  __device__ int first_row_that_sees(int key) const {
    int low = 0;
    int high = static_cast<int>(sequence.queries);
    while (low < high) {
      const int middle = (low + high) / 2;
      if (seen_by_query(middle) <= key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low * group;
  }
};

// The rows of q, o or their gradients that belong to a head. `Value` is float or const float.
template <typename Value>
struct QueryRows {
  Value* data;
  std::int64_t first;   // vector of row 0
  std::int64_t stride;  // vectors from query to query
  std::int64_t width;
  int group;
  int count;

  __device__ QueryRows(Value* values, const AttentionShape& shape, const SequenceHead& head)
      : data(values),
        first(head.sequence.query_begin * shape.heads + std::int64_t{blockIdx.y} * head.group),
        stride(shape.heads),
        width(shape.head_dim),
        group(head.group),
        count(head.rows) {}

  // The vector's number, which is also the place of its log-sum-exp.
  __device__ std::int64_t vector(int row) const {
    const int query = row / group;
    return first + query * stride + (row - query * group);
  }
  __device__ Value* operator()(int row) const {
    return row < count ? data + vector(row) * width : nullptr;
  }
};

// The rows of k, v or their gradients that belong to a head, those of a prefix first. Where there
// is no prefix its pointer is null: where the compiler sees that, only one memory is left.
template <typename Value>
struct KeyRows {
  Value* prefix;
  Value* data;
  std::int64_t head;    // element of row 0 of the prefix
  std::int64_t first;   // element of the sequence's own row 0
  std::int64_t stride;  // elements from row to row
  int prefix_rows;
  int count;

  __device__ KeyRows(Value* shared, std::int64_t shared_rows, Value* values,
                     const AttentionShape& shape, const SequenceHead& block)
      : prefix(shared),
        data(values),
        head(std::int64_t{blockIdx.y} * shape.head_dim),
        first(block.sequence.key_begin * shape.kv_heads * shape.head_dim + head),
        stride(shape.kv_heads * shape.head_dim),
        prefix_rows(static_cast<int>(shared_rows)),
        count(block.keys) {}

  __device__ Value* operator()(int row) const {
    if (row >= count) {
      return nullptr;
    }
    return prefix != nullptr && row < prefix_rows ? prefix + (head + row * stride)
                                                  : data + (first + (row - prefix_rows) * stride);
  }
};

}  // namespace rallrec::kernels::gpu
