#pragma once

#include <cstdint>

namespace rallrec::kernels {

// A sparse matrix in compressed rows, owned by somebody else. Row r has the entries
// [row_offsets[r], row_offsets[r + 1]). To look at a range of rows move `row_offsets` and set
// `rows`: offsets stay absolute.
struct CsrView {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  const std::int64_t* row_offsets = nullptr;     // [rows + 1]
  const std::int32_t* column_indices = nullptr;  // each in [0, columns)
  const float* values = nullptr;
};

}  // namespace rallrec::kernels
