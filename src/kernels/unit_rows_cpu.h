#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

struct UnitRowsArguments {
  std::int64_t columns;
  const float* x;
  float* y;
  float* norms;
};

struct UnitRowsBackwardArguments {
  std::int64_t columns;
  const float* y;
  const float* norms;
  const float* dy;
  float* dx;
};

// Rows [begin, end).
void unit_rows_cpu(const UnitRowsArguments& arguments, std::int64_t begin, std::int64_t end);
void unit_rows_backward_cpu(const UnitRowsBackwardArguments& arguments, std::int64_t begin,
                            std::int64_t end);

}  // namespace rallrec::kernels::detail
