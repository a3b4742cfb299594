#pragma once

#include <cstddef>
#include <vector>

#include "core/device_array.h"
#include "distributed/partition.h"
#include "distributed/place.h"
#include "kernels/add_rows.h"

namespace rallrec::train {

// The sum of `leaves` fp32 vectors of `count` elements on the place's device, with the bits of the
// fixed tree of distributed/tree_reduction.h, whatever the number of ranks. Rank r has the leaves
// of parts[r]; the parts cover them in rank order. Leaves, sums of the largest nodes inside a
// rank's part (which all ranks send to all), and the result stay on the device.
class GradientTree {
 public:
  GradientTree(std::size_t leaves, const std::vector<distributed::Range>& parts, std::size_t count,
               const distributed::Place& place);

  // Where this rank writes its i-th leaf: [count].
  float* leaf(std::size_t i) { return leaves_.data() + i * count_; }

  // The sum of all leaves, [count] on the device until the next leaf is written. Enqueues only.
  // Collective.
  const float* sum();

 private:
  void exchange();

  std::size_t count_;
  distributed::Place place_;
  DeviceArray<kernels::RowAddition> own_additions_;  // of leaves_
  DeviceArray<kernels::RowAddition> additions_;      // of all_
  std::vector<std::size_t> places_;                  // of the own nodes in leaves_
  std::vector<std::size_t> counts_;                  // floats per rank
  DeviceArray<float> leaves_;                        // [own leaves, count]
  DeviceArray<float> nodes_;                         // [own nodes, count]
  DeviceArray<float> all_;                           // [nodes of all ranks, count]
};

}  // namespace rallrec::train
