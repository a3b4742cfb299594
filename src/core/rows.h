#pragma once

#include <cstdint>

#include "core/check.h"

namespace rallrec {

// A view of fp32 numbers [rows, columns] in the memory of some queue's device, row after row
// without gaps. Owns nothing: what it looks at outlives it. Without columns it stands for "none";
// one with columns and no rows is there and empty.
struct Rows {
  float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;

  bool defined() const { return columns > 0; }
  std::int64_t count() const { return rows * columns; }
  // Rows [first, first + size).
  Rows part(std::int64_t first, std::int64_t size) const {
    RALLREC_CHECK(first >= 0 && size >= 0 && first + size <= rows, "Rows: a part leaves its rows");
    return {data + first * columns, size, columns};
  }
  bool is(const Rows& other) const {
    return data == other.data && rows == other.rows && columns == other.columns;
  }
};

}  // namespace rallrec
