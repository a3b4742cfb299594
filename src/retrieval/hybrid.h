// Two similarities that share a list without being mixed, as the authors' Hybrid-Score does.
#pragma once

#include <cstdint>
#include <vector>

#include "retrieval/neighbours_file.h"

namespace rallrec::retrieval {

// For every sample the first ceil(k / 2) neighbours of `first`, then those of `second` that are not
// among them, k in all at most. Both hold the k nearest of the same samples. Scores are those of
// the list that a neighbour came from, so they do not descend over the whole.
Neighbours join_halves(const Neighbours& first, const Neighbours& second, std::int64_t k);

// scores[i] becomes ½ softmax(scores)[i] + ½ softmax(others)[i], each softmax over the list that i
// is in; list l is [offsets[l], offsets[l + 1]).
void join_softmaxes(const std::vector<std::int64_t>& offsets, const std::vector<float>& others,
                    std::vector<float>& scores);

}  // namespace rallrec::retrieval
