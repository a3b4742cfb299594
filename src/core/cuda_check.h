#pragma once

#include <cuda_runtime.h>

#include <string>

#include "core/error.h"

namespace rallrec {

// Throws rallrec::Error where a call of the CUDA runtime did not succeed: what was tried, the
// runtime's own words, and what to do. `what` is a phrase such as "creating a stream".
void check_cuda(cudaError_t error, const char* what);

// The same for an allocation of `bytes`: where memory ran out, the message says how much was asked
// for, how much was free, and that `setting` (a config key or a flag) makes it smaller.
void check_cuda_memory(cudaError_t error, std::size_t bytes, const char* what, const char* setting);

// Throws where no usable CUDA device is there: no driver, a driver older than this build's runtime,
// no device, or one whose architecture this build has no code for.
void require_cuda_device(int device);

}  // namespace rallrec
