#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/csr_view.h"

namespace rallrec::kernels {

// y = scale (A x + addend).
//   matrix  A, [rows, columns] in compressed rows
//   x       fp32 [columns, width], row-major
//   addend  fp32 [rows, width], or nullptr for none; may be y itself
//   y       fp32 [rows, width]; must not overlap x
// Each row is summed wholly in CSR order, starting from zero, the addend comes last and the sum is
// then multiplied by the scale: the bits of a row depend neither on threads nor on which rank owns
// it. Throws Error on a null pointer where there is something to read or write. Column indices are
// trusted.
void spmm(const Queue& queue, const CsrView& matrix, const float* x, std::int64_t width,
          const float* addend, float scale, float* y);

void spmm_cpu(const CsrView& matrix, const float* x, std::int64_t width, const float* addend,
              float scale, float* y);

}  // namespace rallrec::kernels
