#pragma once

#include <cstdint>
#include <string>

#include "distributed/flight_marks.h"
#include "distributed/profile_range.h"

namespace rallrec::models::llm {

// That a layer's turn begins, to the flight record, and until the scope is left as a range under
// its name ("layer 7 forward") to a profiler.
class LayerScope {
 public:
  LayerScope(std::int64_t layer, distributed::Phase phase)
      : range_("layer " + std::to_string(layer) +
               (phase == distributed::Phase::kBackward ? " backward" : " forward")) {
    distributed::mark_phase(phase, layer);
  }

 private:
  distributed::ProfileRange range_;
};

}  // namespace rallrec::models::llm
