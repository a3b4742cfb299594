#pragma once

#include <cstddef>
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
};

// Runs one block of `call` to its end: a fibre per thread, whose turns `random` draws, on shared
// memory filled with 0xFF. False where something was wrong, which has been reported. Only the
// device's thread calls this, one block at a time.
bool run_block(const KernelCall& call, uint3 index, Random& random);

}  // namespace rallrec::simt
