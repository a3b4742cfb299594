#pragma once

#include <cstdint>
#include <vector>

#include "models/llm/generation.h"

namespace rallrec::models::llm {

// The next id from a row of logits: greedy, or temperature and nucleus (top-p) sampling with one
// uniform number of Philox(seed; prompt, position). Throws kNonFinite where the row holds a NaN.
std::int64_t next_id(const float* logits, std::int64_t vocabulary, const GenerationOptions& options,
                     std::uint64_t prompt, std::uint64_t position);

}  // namespace rallrec::models::llm
