#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/array_view.h"
#include "data/dataset.h"

namespace rallrec::retrieval {

// For each sample that prompts are made of, its own history by similarity to its target (eq. 7).
// Interactions are named by their place in the sample's data::History, 0 = oldest; only the newest
// occurrence of an item is listed (data::CandidateFilter).
struct Neighbours {
  std::vector<std::int32_t> samples;        // ascending indices into Dataset::samples
  std::vector<std::int64_t> offsets = {0};  // [samples + 1]
  std::vector<std::int32_t> places;         // nearest first
  std::vector<float> scores;                // beside `places`: the similarity, descending

  // Appends the next sample, which must be larger than the last.
  void add(std::int32_t sample, const std::vector<std::int32_t>& sample_places,
           const std::vector<float>& sample_scores);
  // Throws Error where the sample is not listed.
  data::ArrayView<std::int32_t> of(std::int32_t sample) const;
};

// retrieve/neighbours.h5: the arrays "samples" (int32), "offsets" (int64), "places" (int32) and
// "scores" (float32). Written atomically.
void save_neighbours(const std::string& path, const Neighbours& neighbours);

// Checks every array against `dataset`: samples ascending and known, offsets ascending, places
// inside the sample's history and without repeats. What does not hold is bad data that names the
// array.
Neighbours load_neighbours(const std::string& path, const data::Dataset& dataset);

}  // namespace rallrec::retrieval
