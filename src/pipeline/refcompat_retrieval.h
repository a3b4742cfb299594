// Deviations of the authors' public code (section [refcompat]) in what is retrieved.
#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "data/dataset.h"
#include "retrieval/neighbours_file.h"

namespace rallrec::pipeline {

// RetrievalTask::row_of. ml1m_index_shift: the item whose id is larger by one, or row `items`,
// which must be zero, where there is none. drop_last_item: none for the last item of the catalogue.
std::vector<std::int32_t> candidate_rows(const data::IdMap& items,
                                         const config::RefcompatOptions& options);

// Whether training prompts show what the text alone finds: text_adapter, in a run that tunes and
// has descriptions.
bool trains_on_text(const config::Options& options);

// Two files of neighbours as one; no sample is in both.
retrieval::Neighbours joined(const retrieval::Neighbours& a, const retrieval::Neighbours& b);

// amazon_hybrid_empty: an empty list for every sample.
retrieval::Neighbours no_neighbours(const std::vector<std::int32_t>& samples);

}  // namespace rallrec::pipeline
