#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "core/device_array.h"
#include "core/replay.h"
#include "distributed/place.h"
#include "kernels/adam.h"
#include "kernels/info_nce.h"
#include "models/alignment/projector.h"
#include "train/alignment_batches.h"
#include "train/gradient_tree.h"

namespace rallrec::train {

// Steps of Adam on the projector's parameters by the loss of eq. 5 over the items of a step
// (alignment_batches.h). A rank has the text rows of its blocks and all graph rows on the place's
// device; parameters and moments are replicated.
class AlignmentStep {
 public:
  // text [rows, input] and graph [rows, output] are host memory and are copied; the others must
  // outlive this object. Work is on the queue of `place`, on whose device the projector is.
  AlignmentStep(models::Projector& projector, const std::vector<float>& text,
                const std::vector<float>& graph, const config::AlignOptions& options,
                const distributed::Place& place);

  // Makes room for the losses of that many steps and forgets those of earlier ones.
  void begin(std::int64_t steps);

  // One update. On a GPU this only enqueues; a rank alone there starts a CUDA graph. Collective.
  void run();

  // The loss before each update since begin(): the same on all ranks. Blocks until the steps are
  // done and throws what went wrong in them. Collective.
  std::vector<double> losses();

 private:
  void resize_arrays();
  void step();
  void forward();
  void join_columns();
  void record_losses();
  void backward();
  void update(const float* gradient);
  kernels::InfoNceBlock block(std::size_t i) const;

  template <typename Value>
  DeviceArray<Value> array() const;

  models::Projector& projector_;
  const config::AlignOptions& options_;
  distributed::Place place_;
  AlignmentBatches batches_;
  const AlignmentCut& cut_;
  distributed::Range mine_;  // blocks
  std::int64_t first_row_;
  std::int64_t own_rows_;
  std::int64_t width_;
  std::int64_t updates_ = 0;
  std::int64_t recorded_ = 0;  // steps since begin()
  GradientTree tree_;
  models::ProjectorActivations activations_;
  DeviceArray<float> unit_;          // [own rows, width], unit rows of z
  DeviceArray<float> norms_;         // [own rows], of z
  DeviceArray<float> slopes_;        // [own rows, width], of the loss by unit_, then by z
  DeviceArray<float> positive_;      // [own rows]
  DeviceArray<double> row_lse_;      // [own rows]
  DeviceArray<double> own_lse_;      // [own blocks, rows]
  DeviceArray<double> all_lse_;      // [blocks, rows]
  DeviceArray<double> column_lse_;   // [rows]
  DeviceArray<double> step_losses_;  // [own blocks]
  DeviceArray<double> losses_;       // [steps, own blocks]
  DeviceArray<float> first_moment_;  // as the parameters
  DeviceArray<float> second_moment_;
  DeviceArray<kernels::AdamRates> all_rates_;  // of the steps since begin()
  DeviceArray<kernels::AdamRates> rates_;      // of one step
  Replay replay_;
};

}  // namespace rallrec::train
