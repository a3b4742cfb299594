#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rallrec::models::llm {

// Consecutive micro-batches in waves whose kept bytes are at most `budget`; one that alone keeps
// more is a wave of its own. Wave w holds [cuts[w], cuts[w + 1]); no micro-batches give {0}.
std::vector<std::size_t> cut_waves(const std::vector<std::int64_t>& bytes, std::int64_t budget);

}  // namespace rallrec::models::llm
