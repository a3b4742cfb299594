#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/ctr_features.h"
#include "distributed/communicator.h"
#include "models/ctr/ctr_model.h"
#include "models/ctr/sharded_embedding.h"
#include "train/ctr_batch.h"
#include "train/lazy_adam.h"

namespace rallrec::train {

// The parameters of an id-feature model and optimizer steps on them. The embedding tables of all
// fields are one, shared out over the ranks by row, with the first-order weight of a feature as the
// last element of its row; the rest is on every rank, on equal bits.
//
// A step's loss is the mean cross-entropy of the batch plus l2 / 2 times the squared norm of the
// dense parameters and of the rows that the batch uses. Gradients of the dense parameters are added
// block by block in one fixed tree (distributed/tree_reduction.h); those of a row in the order of
// the blocks, by its owner. Bits depend neither on ranks nor on threads.
class CtrStep {
 public:
  // `features` and `options` must outlive this object. Throws as make_ctr_model.
  CtrStep(const std::string& model, const data::CtrFeatures& features,
          const config::BaselineOptions& options, distributed::Communicator& communicator);

  std::int64_t parameter_count() const { return static_cast<std::int64_t>(dense_.size()); }
  // Blocks of a batch of that many samples.
  std::int64_t blocks_of(std::int64_t samples) const {
    return (samples + options_.block_size - 1) / options_.block_size;
  }

  // One update from samples[0 … count) of `split`. Adds the cross-entropy of each block of this
  // rank, summed over its samples, to losses[block], and leaves the other blocks' alone.
  // Collective.
  void train(const data::CtrSamples& split, const std::int64_t* samples, std::int64_t count,
             std::int64_t epoch, double* losses);

  // P(label 1) of every sample of `split`, on every rank. Collective.
  std::vector<double> score(const data::CtrSamples& split);

  // Keeps the parameters as they are now, and takes them back.
  void keep();
  void restore();

  const std::vector<float>& dense() const { return dense_; }
  const models::ctr::ShardedEmbedding& table() const { return table_; }

 private:
  // What a thread computes with.
  struct Worker {
    std::unique_ptr<models::ctr::CtrModel> model;
    std::vector<float> rows;         // of the table that the block uses
    std::vector<float> x;            // [samples, fields, dim]
    std::vector<float> first_order;  // [samples]
    std::vector<float> logits;
    std::vector<float> dlogits;
    std::vector<float> dx;
  };
  struct Kept {
    std::vector<float> dense;
    std::vector<float> table;
  };

  models::ctr::CtrBlock forward(Worker& worker, std::int64_t index, std::int64_t epoch,
                                bool training);
  double train_block(Worker& worker, std::int64_t index, std::int64_t epoch);
  void backward(Worker& worker, const models::ctr::CtrBlock& block, std::int64_t index);
  void initialise_table();
  void update_dense();
  void update_table();

  const data::CtrFeatures& features_;
  const config::BaselineOptions& options_;
  distributed::Communicator& communicator_;
  std::vector<Worker> workers_;
  bool has_first_order_;
  std::int64_t dim_;
  models::ctr::ShardedEmbedding table_;
  LazyAdam table_adam_;
  CtrBatch batch_;
  std::vector<float> dense_;
  std::vector<float> first_moment_;
  std::vector<float> second_moment_;
  std::int64_t updates_ = 0;
  std::vector<std::vector<float>> leaves_;  // dense gradients of this rank's blocks
  std::vector<std::vector<float>> drows_;   // gradients of the rows of this rank's blocks
  std::vector<float> gradient_;
  Kept kept_;
};

}  // namespace rallrec::train
