#pragma once

#include <cstdint>

namespace rallrec {

// How often parallel_for was called in this process: a sign of life of long work.
std::uint64_t parallel_calls();

}  // namespace rallrec
