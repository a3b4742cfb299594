#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// Consecutive micro-batches in waves whose kept bytes are at most `budget`; one that alone keeps
// more is a wave of its own. Wave w holds [cuts[w], cuts[w + 1]); no micro-batches give {0}.
std::vector<std::size_t> cut_waves(const std::vector<std::int64_t>& bytes, std::int64_t budget);

// Bytes that a micro-batch of `tokens` keeps from its way forward to its way back, without the
// adapter's: the activations of all layers or, with `recompute`, the inputs of the layers and the
// activations of one.
std::int64_t kept_bytes(const LlmConfig& config, std::int64_t tokens, bool recompute);

}  // namespace rallrec::models::llm
