#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "kernels/bpr.h"
#include "models/graph/light_gcn.h"

namespace rallrec::train {

// The rows that a batch's triples name, on every rank, from matrices of which each rank has its own
// rows. A rank hands over 12 · width bytes per triple, or its own rows where all of them together
// are at most twice as many as those of the triples.
class TripleRows {
 public:
  // `model` must outlive this object.
  explicit TripleRows(models::LightGcn& model);

  // `batch` is of graph nodes and the same on every rank, in device memory; it stays until the next
  // call. With one rank the places are the nodes.
  void start(const kernels::BprBatch& batch);
  // Where the batch's rows lie in this rank's matrices, -1 for those that it does not hold.
  const kernels::BprBatch& places() const { return places_; }

  // A matrix that has all rows of the batch, and the batch as rows of it.
  struct Rows {
    const float* values;
    kernels::BprBatch batch;
  };
  // From the own rows of `matrix`; with one rank the result lies in it. It is there until the next
  // call. Collective.
  Rows collect(const DeviceArray<float>& matrix);

  // The norms of the three roles' rows (kernels::bpr_norms) from own rows. norms: [3] on the
  // device. Collective.
  void norms(const DeviceArray<float>& matrix, double* norms);

 private:
  bool alone() const { return model_.place().device.size() == 1; }
  // Adds up what ranks have of `values`, the others having zero bits there.
  void complete(DeviceArray<float>& values);

  models::LightGcn& model_;
  kernels::BprBatch batch_;
  kernels::BprBatch places_;
  DeviceArray<std::int32_t> place_of_;    // [nodes]
  DeviceArray<std::int32_t> row_places_;  // [3, batch]
  DeviceArray<std::int32_t> numbers_;     // 0, 1, … 3 * batch - 1
  DeviceArray<float> rows_;               // [3, batch, width] or [nodes, width]
  DeviceArray<float> squares_;            // [3, batch]
};

}  // namespace rallrec::train
