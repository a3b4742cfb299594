#pragma once

#include <cstdint>

#include "pipeline/bench/step.h"

namespace rallrec::pipeline {

// What was counted on the rank where it is most: resident bytes above the process before the model
// in a first step, and bytes of layers received in a later one.
struct TuneCounts {
  std::int64_t peak = 0;
  std::int64_t frozen = 0;
  std::int64_t gathered = 0;
};

// The lines memory, frozen and traffic, each beside what plan says.
void print_counts(const BenchStep& step, const models::llm::CausalLm& model,
                  const TuneCounts& counts);

}  // namespace rallrec::pipeline
