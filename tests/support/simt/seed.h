#pragma once

#include <cstdint>

namespace rallrec::simt {

// The seed of all schedules of this process: RALLREC_SIMT_SEED, or one drawn at start.
std::uint64_t seed();
// Draws all later schedules from `value`.
void set_seed(std::uint64_t value);

}  // namespace rallrec::simt
