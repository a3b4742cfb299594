#pragma once

#include "core/device.h"

namespace rallrec::kernels {

// What an operation without a GPU implementation does when it is asked for one: throws Error
// (kUsage) that names the operation and the cure. It never falls back to the CPU in silence.
void require_cpu(const Queue& queue, const char* operation);

}  // namespace rallrec::kernels
