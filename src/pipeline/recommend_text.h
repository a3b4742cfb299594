#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "io/json_writer.h"
#include "pipeline/pair_scorer.h"

namespace rallrec::pipeline {

// One recommendation as a line of the output: user, item, title, rank (from 1), score, logit_yes,
// logit_no, the prompt, and `why`, the retrieved history.
io::JsonObjectWriter recommendation_json(const data::Dataset& dataset, const ScoredSamples& scored,
                                         std::int32_t sample, std::int64_t rank);

// The same for people, with the first `reasons` of the history below it.
std::string recommendation_text(const data::Dataset& dataset, const ScoredSamples& scored,
                                std::int32_t sample, std::int64_t rank, std::int64_t reasons);

}  // namespace rallrec::pipeline
