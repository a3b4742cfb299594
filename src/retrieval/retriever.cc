#include "retrieval/retriever.h"

#include <algorithm>

#include "data/history.h"
#include "distributed/partition.h"
#include "kernels/similarity.h"
#include "kernels/top_k.h"
#include "retrieval/hybrid.h"

namespace rallrec::retrieval {
namespace {

// Samples scored together; bounds the memory of the candidate lists.
constexpr std::size_t kSampleBlock = 1024;

// The candidates of some samples, as ragged lists.
struct Candidates {
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> targets;
  std::vector<std::int32_t> items;
  std::vector<std::int32_t> rows;    // of the vectors
  std::vector<std::int64_t> places;  // in the history; larger = newer
};

Candidates collect(const RetrievalTask& task, distributed::Range range,
                   data::CandidateFilter& filter) {
  Candidates candidates;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const std::int32_t sample = task.samples[i];
    const std::int32_t target = task.dataset->sample_item(sample);
    const data::History history = data::history_of(*task.dataset, sample);
    for (const std::int32_t place : filter.candidates(history, task.exclude_target ? target : -1)) {
      const std::int32_t item = history.item(static_cast<std::size_t>(place));
      const std::int32_t row =
          task.row_of.empty() ? item : task.row_of[static_cast<std::size_t>(item)];
      if (row >= 0) {
        candidates.items.push_back(item);
        candidates.rows.push_back(row);
        candidates.places.push_back(place);
      }
    }
    candidates.targets.push_back(target);
    candidates.offsets.push_back(static_cast<std::int64_t>(candidates.items.size()));
  }
  return candidates;
}

std::vector<float> similarities(const ItemVectors& vectors, std::int64_t lists,
                                const Candidates& candidates) {
  std::vector<float> scores(candidates.items.size());
  kernels::similarity_of_lists(
      {}, vectors.values, vectors.width,
      {lists, candidates.offsets.data(), candidates.targets.data(), candidates.rows.data()},
      scores.data());
  return scores;
}

// Appends the best of each list to `found`.
void rank_candidates(const RetrievalTask& task, distributed::Range range,
                     const Candidates& candidates, Neighbours& found) {
  const auto lists = static_cast<std::int64_t>(range.size());
  std::vector<float> scores = similarities(task.vectors, lists, candidates);
  if (task.other_vectors.values != nullptr) {
    join_softmaxes(candidates.offsets, similarities(task.other_vectors, lists, candidates), scores);
  }
  std::vector<std::int32_t> best(static_cast<std::size_t>(lists * task.k));
  kernels::top_k({},
                 {lists, candidates.offsets.data(), scores.data(), candidates.places.data(),
                  candidates.items.data()},
                 task.k, best.data());
  for (std::int64_t l = 0; l < lists; ++l) {
    std::vector<std::int32_t> places;
    std::vector<float> place_scores;
    for (std::int64_t r = 0; r < task.k && best[l * task.k + r] >= 0; ++r) {
      const std::int64_t entry = candidates.offsets[l] + best[l * task.k + r];
      places.push_back(static_cast<std::int32_t>(candidates.places[entry]));
      place_scores.push_back(scores[entry]);
    }
    found.add(task.samples[range.begin + static_cast<std::size_t>(l)], places, place_scores);
  }
}

// Joins what the ranks found, in rank order, which is sample order.
Neighbours gather(const RetrievalTask& task, const Neighbours& mine,
                  distributed::Communicator& communicator) {
  std::vector<std::int32_t> my_lengths, lengths(task.samples.size());
  for (std::size_t i = 0; i + 1 < mine.offsets.size(); ++i) {
    my_lengths.push_back(static_cast<std::int32_t>(mine.offsets[i + 1] - mine.offsets[i]));
  }
  std::vector<std::size_t> sample_counts, place_counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    sample_counts.push_back(
        distributed::split_evenly(task.samples.size(), communicator.size(), rank).size());
  }
  communicator.all_gather_v(my_lengths.data(), lengths.data(), sample_counts,
                            distributed::DType::kInt32);
  Neighbours all;
  all.samples = task.samples;
  for (const std::int32_t length : lengths) {
    all.offsets.push_back(all.offsets.back() + length);
  }
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const auto part = distributed::split_evenly(task.samples.size(), communicator.size(), rank);
    place_counts.push_back(
        static_cast<std::size_t>(all.offsets[part.end] - all.offsets[part.begin]));
  }
  all.places.resize(static_cast<std::size_t>(all.offsets.back()));
  all.scores.resize(all.places.size());
  communicator.all_gather_v(mine.places.data(), all.places.data(), place_counts,
                            distributed::DType::kInt32);
  communicator.all_gather_v(mine.scores.data(), all.scores.data(), place_counts,
                            distributed::DType::kFloat32);
  return all;
}

}  // namespace

Neighbours retrieve_neighbours(const RetrievalTask& task, distributed::Communicator& communicator) {
  const auto own =
      distributed::split_evenly(task.samples.size(), communicator.size(), communicator.rank());
  data::CandidateFilter filter(task.dataset->items.size());
  Neighbours mine;
  for (std::size_t begin = own.begin; begin < own.end; begin += kSampleBlock) {
    const distributed::Range range{begin, std::min(begin + kSampleBlock, own.end)};
    rank_candidates(task, range, collect(task, range, filter), mine);
  }
  return gather(task, mine, communicator);
}

}  // namespace rallrec::retrieval
