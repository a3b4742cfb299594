#pragma once

#include <cstdint>

#include "core/parallel_for.h"

namespace rallrec::commands {

// Sets the threads of parallel_for and of ATen: `wanted`, or where it is 0 OMP_NUM_THREADS, or else
// this rank's share of the cores.
void set_threads(std::int64_t wanted, int ranks_on_node);

}  // namespace rallrec::commands
