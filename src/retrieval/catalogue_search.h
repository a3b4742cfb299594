#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.h"
#include "kernels/nearest_rows.h"

namespace rallrec::retrieval {

// The best items of each query, best first.
struct CatalogueHits {
  std::vector<std::int32_t> items;  // [queries, k]; -1 beyond the last found
  std::vector<float> scores;        // likewise; 0 there
};

// Exact top-k over a whole catalogue: kernels::nearest_rows with the item vectors as its table. The
// task is the same on every rank; ranks share its queries in contiguous parts, and every rank
// returns all hits, the same bits for any number of ranks. Collective.
CatalogueHits search_catalogue(const kernels::NearestTask& task,
                               distributed::Communicator& communicator);

}  // namespace rallrec::retrieval
