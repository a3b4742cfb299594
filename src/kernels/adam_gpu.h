#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/adam.h"

namespace rallrec::kernels::detail {

struct AdamArguments {
  std::int64_t count;
  const float* gradient;
  float* parameters;
  float* first_moment;
  float* second_moment;
};

// The GPU column of adam.h: device memory, work is enqueued on queue.stream. `stored`, where not
// null, is read in place of `rates`. Throws where the build has no CUDA.
void adam_gpu(const Queue& queue, const AdamRates& rates, const AdamRates* stored,
              const AdamArguments& arguments);
void adam_rows_gpu(const Queue& queue, const AdamRows& rows);

}  // namespace rallrec::kernels::detail
