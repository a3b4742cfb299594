#pragma once

namespace rallrec::kernels {

// What an operation without a GPU implementation in this build does when it is asked for one:
// throws Error (kUsage) that names the operation and the cure. It never falls back to the CPU in
// silence.
[[noreturn]] void throw_no_cuda(const char* operation);

}  // namespace rallrec::kernels
