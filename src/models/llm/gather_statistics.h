#pragma once

#include <cstdint>

namespace rallrec::models::llm {

// What a model has brought in from other ranks so far.
struct GatherStatistics {
  std::int64_t layers = 0;  // gathers of a layer
  std::uint64_t bytes = 0;  // received by this rank
  // Not hidden behind computing, as the host sees it: 0 where the queue waits and not the host.
  double waited_seconds = 0.0;
};

}  // namespace rallrec::models::llm
