#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "core/device_array.h"
#include "data/ctr_features.h"
#include "distributed/place.h"
#include "models/ctr/ctr_model.h"
#include "models/ctr/sharded_embedding.h"
#include "train/ctr_batch.h"
#include "train/ctr_block_arrays.h"
#include "train/gradient_tree.h"
#include "train/lazy_adam.h"

namespace rallrec::train {

// The parameters of an id-feature model and optimizer steps on them. The embedding tables of all
// fields are one, shared out over the ranks by row, with the first-order weight of a feature as the
// last element of its row; the rest is on every rank, on equal bits. All of them, and what is
// computed, are on the place's device.
//
// A step's loss is the mean cross-entropy of the batch plus l2 / 2 times the squared norm of the
// dense parameters and of the rows that the batch uses. Gradients of the dense parameters are added
// block by block in one fixed tree (distributed/tree_reduction.h); those of a row in the order of
// the blocks, by its owner. Bits depend neither on ranks nor on threads.
class CtrStep {
 public:
  // `features` and `options` must outlive this object. Throws as make_ctr_model.
  CtrStep(const std::string& model, const data::CtrFeatures& features,
          const config::BaselineOptions& options, const distributed::Place& place);

  std::int64_t parameter_count() const { return static_cast<std::int64_t>(dense_.size()); }
  // Blocks of a batch of that many samples.
  std::int64_t blocks_of(std::int64_t samples) const {
    return (samples + options_.block_size - 1) / options_.block_size;
  }

  // Makes room for the losses of that many blocks and forgets earlier ones.
  void begin(std::int64_t blocks);
  // One update from samples[0 … count) of `split`. The cross-entropy of each block of this rank,
  // summed over its samples and before the update, becomes losses()[first_loss + block]; the other
  // blocks' stay 0. On a GPU the host does not wait for the work. Collective.
  void train(const data::CtrSamples& split, const std::int64_t* samples, std::int64_t count,
             std::int64_t epoch, std::int64_t first_loss);
  // Waits for the updates.
  std::vector<double> losses() const { return losses_.host(); }

  // P(label 1) of every sample of `split`, on every rank. Collective.
  std::vector<double> score(const data::CtrSamples& split);

  // Keeps the parameters as they are now, and takes them back.
  void keep();
  void restore();

  const DeviceArray<float>& dense() const { return dense_; }
  const models::ctr::ShardedEmbedding& table() const { return table_; }

 private:
  // What a thread computes with.
  struct Worker {
    Worker(std::unique_ptr<models::ctr::CtrModel> of, const Queue& queue);

    std::unique_ptr<models::ctr::CtrModel> model;
    CtrBlockArrays block;
    DeviceArray<float> rows;         // of the table that the block uses
    DeviceArray<float> x;            // [samples, fields, dim]
    DeviceArray<float> first_order;  // [samples]
    DeviceArray<float> logits;
    DeviceArray<float> dlogits;
    DeviceArray<float> dx;
    std::vector<float> host_logits;
  };

  models::ctr::CtrBlock forward(Worker& worker, std::int64_t index, std::int64_t epoch,
                                bool training);
  void train_block(Worker& worker, std::int64_t index, std::int64_t epoch, std::int64_t first_loss);
  void make_room_for_gradients();
  void backward(Worker& worker, const models::ctr::CtrBlock& block, std::int64_t index);
  void initialise_table();
  void update_dense();
  void update_table();

  const data::CtrFeatures& features_;
  const config::BaselineOptions& options_;
  distributed::Place place_;
  std::vector<Worker> workers_;
  bool has_first_order_;
  std::int64_t dim_;
  models::ctr::ShardedEmbedding table_;
  LazyAdam table_adam_;
  CtrBatch batch_;
  DeviceArray<float> dense_;
  DeviceArray<float> first_moment_;
  DeviceArray<float> second_moment_;
  std::int64_t updates_ = 0;
  std::map<std::int64_t, GradientTree> trees_;  // of the dense gradients, by blocks of a batch
  GradientTree* tree_ = nullptr;                // of this batch
  DeviceArray<float> drows_;                    // gradients of the rows of this rank's blocks
  std::vector<std::size_t> first_drow_;         // of each block, in floats
  DeviceArray<float> gradient_;
  DeviceArray<double> losses_;
  DeviceArray<float> kept_dense_;
  DeviceArray<float> kept_table_;
  models::ctr::ShardedEmbedding::Gradients own_rows_;
};

}  // namespace rallrec::train
