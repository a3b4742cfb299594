#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/feature_block.h"
#include "distributed/partition.h"
#include "distributed/place.h"
#include "models/ctr/sharded_embedding.h"

namespace rallrec::train {

// A batch, cut into blocks of a fixed number of samples (the last may have fewer), of which each
// rank takes consecutive ones, with the embeddings that its own need. What is computed block by
// block does not depend on the number of ranks.
class CtrBatch {
 public:
  // As many as `readers` threads look features up. Everything must outlive this object.
  CtrBatch(const data::CtrFeatures& features, models::ctr::ShardedEmbedding& table,
           std::int64_t block_size, const distributed::Place& place, int readers);

  // samples[0 … count), the same on every rank, are numbers of `split`. Collective.
  void load(const data::CtrSamples& split, const std::int64_t* samples, std::int64_t count);

  std::int64_t size() const { return size_; }
  // Of the whole batch.
  std::int64_t blocks() const { return blocks_; }
  // Those of this rank.
  distributed::Range own() const { return own_; }
  // Of this rank, counted from 0.
  const data::FeatureBlock& block(std::int64_t index) const {
    return features_of_[static_cast<std::size_t>(index)];
  }
  // Where its first sample is in the batch.
  std::int64_t first_sample(std::int64_t index) const {
    return (static_cast<std::int64_t>(own_.begin) + index) * block_size_;
  }
  // The embeddings of all rows of this rank's blocks, each once, [rows, width] on the device.
  const DeviceArray<float>& values() const { return values_; }
  // Where block(index).rows are in values().
  const std::vector<std::int64_t>& places(std::int64_t index) const {
    return places_[static_cast<std::size_t>(index)];
  }

  // Calls body(worker, index) for each block of this rank on `workers` threads; a worker makes one
  // call at a time.
  void for_blocks(int workers,
                  const std::function<void(int worker, std::int64_t index)>& body) const;

 private:
  void fill_blocks(const data::CtrSamples& split, const std::int64_t* samples);
  void collect_rows();

  models::ctr::ShardedEmbedding& table_;
  std::int64_t block_size_;
  distributed::Communicator& host_;
  std::vector<data::FeatureBlocker> blockers_;  // one per reader
  std::vector<data::FeatureBlock> features_of_;
  std::vector<std::vector<std::int64_t>> places_;  // of a block's rows in rows_
  std::vector<std::int32_t> place_of_;             // of a row of the table in rows_; -1 = not there
  std::vector<std::int32_t> rows_;                 // of the table, each once
  DeviceArray<float> values_;                      // of rows_
  std::int64_t size_ = 0;
  std::int64_t blocks_ = 0;
  distributed::Range own_;
};

}  // namespace rallrec::train
