#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "simt_types.h"
#include "tests/support/simt/random.h"

namespace rallrec::simt {

// A kernel with its arguments, ready to run once per thread.
struct KernelCall {
  const void* function = nullptr;
  std::function<void()> body;
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  std::uint64_t launch = 0;  // its number
};

// Runs one block of `call` to its end: a fibre per thread, whose turns `random` draws, on shared
// memory filled with 0xFF. False where something was wrong, which has been reported. Only the
// device's thread calls this, one block at a time.
bool run_block(const KernelCall& call, uint3 index, Random& random);

// Drops what is known about device memory, which may have been freed. While no block runs.
void forget_device_memory();

}  // namespace rallrec::simt
