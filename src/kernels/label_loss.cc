#include "kernels/label_loss.h"

#include <algorithm>
#include <string>

#include "core/check.h"
#include "kernels/label_loss_cpu.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {

void label_loss(const Queue& queue, const HeadMatrix& head, std::int64_t rows, const float* x,
                const std::int64_t* labels, double loss_scale, float* losses, float* dx) {
  if (queue.device == Device::kCuda) {
    throw_no_cuda("label_loss");
  }
  RALLREC_CHECK((head.fp32 == nullptr) != (head.bf16 == nullptr), "label_loss: one kind of head");
  RALLREC_CHECK(head.vocabulary > 0 && head.hidden > 0, "label_loss: the head is empty");
  for (std::int64_t i = 0; i < rows; ++i) {
    RALLREC_CHECK(labels[i] >= 0 && labels[i] < head.vocabulary,
                  "label_loss: label " + std::to_string(labels[i]) + " is not in the vocabulary");
  }
  for (std::int64_t begin = 0; begin < rows; begin += detail::kLabelLossRows) {
    const std::int64_t count = std::min(detail::kLabelLossRows, rows - begin);
    const std::int64_t at = begin * head.hidden;
    detail::label_loss_cpu(head, count, x + at, labels + begin, static_cast<float>(loss_scale),
                           losses + begin, dx == nullptr ? nullptr : dx + at);
  }
}

}  // namespace rallrec::kernels
