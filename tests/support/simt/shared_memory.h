#pragma once

#include <cstddef>

#include "tests/support/simt/race_detector.h"

namespace rallrec::simt {

// Fills the shared memory of the next block with 0xFF: NaN as a number, -1 as an index. Dynamic
// shared memory is a heap block of exactly `dynamic_bytes`, so that ASan sees its end.
//
// Static shared memory is what kernels declare __shared__, which is `static thread_local` here: the
// whole thread-local storage of the program on the device's thread, where nothing else may live.
void poison_shared_memory(std::size_t dynamic_bytes);

RaceDetector::Region static_shared_memory();
RaceDetector::Region dynamic_shared_region();

}  // namespace rallrec::simt
