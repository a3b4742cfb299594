#pragma once

#include <cstdint>

#include "core/parallel_for.h"

namespace rallrec::commands {

// Sets the threads of parallel_for and of ATen: `wanted`, or where it is 0 OMP_NUM_THREADS, or else
// this rank's share of the cores that it may use, which it has in common with that many ranks
// (itself one of them).
void set_threads(std::int64_t wanted, int ranks_on_same_cores);

}  // namespace rallrec::commands
