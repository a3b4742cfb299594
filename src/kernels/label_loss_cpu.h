#pragma once

#include <cstdint>

#include "kernels/label_loss.h"

namespace rallrec::kernels::detail {

// Rows that share one passage over the head.
constexpr std::int64_t kLabelLossRows = 64;

// label_loss for rows in [1, kLabelLossRows].
void label_loss_cpu(const HeadMatrix& head, std::int64_t rows, const float* x,
                    const std::int64_t* labels, float loss_scale, float* losses, float* dx);

}  // namespace rallrec::kernels::detail
