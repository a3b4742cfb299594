#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "data/feature_block.h"
#include "kernels/embedding_bag.h"

namespace rallrec::train {

// The arrays of a block of samples (data/feature_block.h) where the kernels of a queue read them:
// on the CPU those of the block itself, on a GPU copies that travel there in one piece.
class CtrBlockArrays {
 public:
  explicit CtrBlockArrays(const Queue& queue);

  // `places` [block.rows] are those of CtrBatch. On the CPU both must outlive the use. Enqueues
  // only.
  void assign(const data::FeatureBlock& block, const std::vector<std::int64_t>& places);

  const std::int64_t* samples() const { return samples_; }
  const std::uint8_t* labels() const { return labels_; }
  const std::int64_t* places() const { return places_; }
  // A bag per sample and field, and one per sample.
  const kernels::Bags& fields() const { return fields_; }
  const kernels::Bags& whole_samples() const { return whole_samples_; }

  // drows[row, 0 … columns) += what the bags' dy [bags, columns] give the row, for the rows of the
  // block, `stride` floats apart, which are 0; with `whole` a bag is a sample.
  void add_row_gradients(bool whole, std::int64_t columns, std::int64_t stride, const float* dy,
                         float* drows) const;

 private:
  // By row of the block: the bags that name it, and the entries' weights.
  struct ByRow {
    kernels::Bags fields;
    kernels::Bags whole_samples;
  };
  void point_to(const data::FeatureBlock& block, const std::vector<std::int64_t>& places);
  void upload(const data::FeatureBlock& block, const std::vector<std::int64_t>& places);

  Queue queue_;
  std::int64_t rows_ = 0;
  std::int64_t sample_count_ = 0;
  std::int64_t bag_count_ = 0;
  const std::int64_t* samples_ = nullptr;
  const std::uint8_t* labels_ = nullptr;
  const std::int64_t* places_ = nullptr;
  kernels::Bags fields_{};
  kernels::Bags whole_samples_{};
  ByRow by_row_{};                    // on a GPU
  std::vector<unsigned char> bytes_;  // what travels
  DeviceArray<unsigned char> there_;
};

}  // namespace rallrec::train
