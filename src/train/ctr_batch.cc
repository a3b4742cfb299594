#include "train/ctr_batch.h"

#include <algorithm>

#include "core/parallel_for.h"

namespace rallrec::train {

CtrBatch::CtrBatch(const data::CtrFeatures& features, models::ctr::ShardedEmbedding& table,
                   std::int64_t block_size, const distributed::Place& place, int readers)
    : table_(table),
      block_size_(block_size),
      host_(place.host),
      blockers_(static_cast<std::size_t>(readers), data::FeatureBlocker(features)),
      place_of_(static_cast<std::size_t>(features.rows), -1),
      values_(place.queue, "baseline.batch_size") {}

void CtrBatch::load(const data::CtrSamples& split, const std::int64_t* samples,
                    std::int64_t count) {
  size_ = count;
  blocks_ = (count + block_size_ - 1) / block_size_;
  own_ = distributed::split_evenly(static_cast<std::size_t>(blocks_), host_.size(), host_.rank());
  if (features_of_.size() < own_.size()) {
    features_of_.resize(own_.size());
    places_.resize(own_.size());
  }
  fill_blocks(split, samples);
  collect_rows();
  table_.lookup(rows_, values_);
}

void CtrBatch::fill_blocks(const data::CtrSamples& split, const std::int64_t* samples) {
  for_blocks(static_cast<int>(blockers_.size()), [&](int worker, std::int64_t index) {
    const std::int64_t first = first_sample(index);
    blockers_[static_cast<std::size_t>(worker)].fill(split, samples + first,
                                                     std::min(block_size_, size_ - first),
                                                     features_of_[static_cast<std::size_t>(index)]);
  });
}

// A row that several blocks use travels once.
void CtrBatch::collect_rows() {
  rows_.clear();
  for (std::size_t index = 0; index < own_.size(); ++index) {
    places_[index].clear();
    for (const std::int32_t row : features_of_[index].rows) {
      std::int32_t& place = place_of_[static_cast<std::size_t>(row)];
      if (place < 0) {
        place = static_cast<std::int32_t>(rows_.size());
        rows_.push_back(row);
      }
      places_[index].push_back(place);
    }
  }
  for (const std::int32_t row : rows_) {
    place_of_[static_cast<std::size_t>(row)] = -1;
  }
}

void CtrBatch::for_blocks(int workers,
                          const std::function<void(int worker, std::int64_t index)>& body) const {
  // A single block leaves the threads to what is called for it.
  if (own_.size() == 1) {
    body(0, 0);
    return;
  }
  parallel_for(workers, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t worker = begin; worker < end; ++worker) {
      const auto mine = distributed::split_evenly(own_.size(), workers, static_cast<int>(worker));
      for (std::size_t index = mine.begin; index < mine.end; ++index) {
        body(static_cast<int>(worker), static_cast<std::int64_t>(index));
      }
    }
  });
}

}  // namespace rallrec::train
