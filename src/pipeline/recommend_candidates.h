#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"
#include "pipeline/stage.h"

namespace rallrec::pipeline {

// The items of the catalogue that the user has no interaction with, ascending.
std::vector<std::int32_t> unrated_items(const data::Dataset& dataset, std::int32_t user);

// The items of a file of lines {"item": original id}, ascending, each once. Malformed lines follow
// data.max_bad_rows.
std::vector<std::int32_t> read_candidates(const std::string& path, const data::Dataset& dataset,
                                          const StageContext& context);

// What is scored by the LLM costs a prompt each, so many candidates are cut down first.
enum class ShortlistBy {
  kVectors,  // dot product of the item's vector (eq. 7) with the mean of those the user liked
  kLightGcn  // dot product of the graph embeddings of user and item
};

// Throws usage naming the flag where `name` is neither vectors nor light_gcn.
ShortlistBy shortlist_by_from(const std::string& name);

// The files of the run that a shortlist is made from, relative to its folder.
std::vector<std::string> shortlist_files(ShortlistBy by, const config::Options& options);

struct ShortlistTask {
  std::int32_t user = 0;
  std::vector<std::int32_t> candidates;  // ascending
  std::int64_t count = 0;                // at most so many are kept
  ShortlistBy by = ShortlistBy::kVectors;
};

// The best `count` candidates, best first; equal ones in order of their ids. A user who likes
// nothing is taken by all they rated. The same for any number of ranks. Collective.
std::vector<std::int32_t> shortlist(const ShortlistTask& task, const data::Dataset& dataset,
                                    const StageContext& context);

}  // namespace rallrec::pipeline
