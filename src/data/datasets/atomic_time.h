#pragma once

#include <cstddef>
#include <cstdint>

#include "io/delimited.h"

namespace rallrec::data {

// A time of an atomic file: a number from 0 to below 2^63, rounded down, and what is missing.
struct AtomicTime {
  std::int64_t whole = 0;
  double fraction = 0.0;
};

// Field i of the column timestamp. The kind is float, yet every whole number survives in full. Bad
// data at its place otherwise.
AtomicTime atomic_time(const io::DelimitedRow& row, std::size_t i);

}  // namespace rallrec::data
