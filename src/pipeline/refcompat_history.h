// Deviations of the authors' public code (section [refcompat]) in what a prompt shows.
#pragma once

#include <cstdint>
#include <vector>

#include "data/history.h"

namespace rallrec::pipeline {

// refcompat.rerank_repeat_bug: of n different items in the history the newest is looked for at
// place n - 1, the next at n - 2, and so on, as if no item had come twice; where some have, the
// newest are not seen. `newest` are the candidates of choose_history, and so is the result.
std::vector<std::int32_t> newest_by_shifted_places(const data::History& history,
                                                   const std::vector<std::int32_t>& newest);

}  // namespace rallrec::pipeline
