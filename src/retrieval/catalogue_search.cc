#include "retrieval/catalogue_search.h"

#include "distributed/partition.h"

namespace rallrec::retrieval {

using distributed::DType;

CatalogueHits search_catalogue(const kernels::NearestTask& task,
                               distributed::Communicator& communicator) {
  const auto queries = static_cast<std::size_t>(task.query_count);
  const auto k = static_cast<std::size_t>(task.k);
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    counts.push_back(distributed::split_evenly(queries, communicator.size(), rank).size() * k);
  }
  const auto own = distributed::split_evenly(queries, communicator.size(), communicator.rank());
  const auto first = static_cast<std::int64_t>(own.begin);
  kernels::NearestTask mine = task;
  mine.queries = task.queries + first * task.width;
  mine.query_count = static_cast<std::int64_t>(own.size());
  mine.excluded_offsets =
      task.excluded_offsets == nullptr ? nullptr : task.excluded_offsets + first;
  CatalogueHits part{std::vector<std::int32_t>(own.size() * k), std::vector<float>(own.size() * k)};
  kernels::nearest_rows({}, mine, part.items.data(), part.scores.data());
  CatalogueHits all{std::vector<std::int32_t>(queries * k), std::vector<float>(queries * k)};
  communicator.all_gather_v(part.items.data(), all.items.data(), counts, DType::kInt32);
  communicator.all_gather_v(part.scores.data(), all.scores.data(), counts, DType::kFloat32);
  return all;
}

}  // namespace rallrec::retrieval
