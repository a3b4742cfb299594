#include "train/ctr_block_arrays.h"

#include <cstring>

namespace rallrec::train {
namespace {

// Where an array begins.
template <typename Value>
struct Packed {
  std::size_t first;

  const Value* in(const unsigned char* bytes) const {
    return reinterpret_cast<const Value*>(bytes + first);
  }
};

// Arrays one behind the other, each aligned for any of their types.
class Pack {
 public:
  explicit Pack(std::vector<unsigned char>& bytes) : bytes_(bytes) { bytes_.clear(); }

  template <typename Value>
  Packed<Value> add(const std::vector<Value>& values) {
    constexpr std::size_t kAlignment = 16;
    const std::size_t first = (bytes_.size() + kAlignment - 1) / kAlignment * kAlignment;
    bytes_.resize(first + values.size() * sizeof(Value));
    if (!values.empty()) {
      std::memcpy(bytes_.data() + first, values.data(), values.size() * sizeof(Value));
    }
    return {first};
  }

 private:
  std::vector<unsigned char>& bytes_;
};

}  // namespace

CtrBlockArrays::CtrBlockArrays(const Queue& queue)
    : queue_(queue), there_(queue, "baseline.block_size") {}

void CtrBlockArrays::assign(const data::FeatureBlock& block,
                            const std::vector<std::int64_t>& places) {
  rows_ = static_cast<std::int64_t>(block.rows.size());
  sample_count_ = block.size();
  bag_count_ = static_cast<std::int64_t>(block.offsets.size()) - 1;
  point_to(block, places);
  if (queue_.device == Device::kCuda) {
    upload(block, places);
  }
}

void CtrBlockArrays::point_to(const data::FeatureBlock& block,
                              const std::vector<std::int64_t>& places) {
  samples_ = block.samples.data();
  labels_ = block.labels.data();
  places_ = places.data();
  fields_ = {block.offsets.data(), block.ids.data(), block.weights.data()};
  whole_samples_ = {block.sample_offsets.data(), block.ids.data(), block.weights.data()};
}

void CtrBlockArrays::upload(const data::FeatureBlock& block,
                            const std::vector<std::int64_t>& places) {
  const kernels::TurnedBags fields = kernels::turned_bags(bag_count_, fields_, rows_);
  const kernels::TurnedBags whole = kernels::turned_bags(sample_count_, whole_samples_, rows_);
  Pack pack(bytes_);
  const auto samples = pack.add(block.samples);
  const auto labels = pack.add(block.labels);
  const auto at = pack.add(places);
  const auto offsets = pack.add(block.offsets);
  const auto sample_offsets = pack.add(block.sample_offsets);
  const auto ids = pack.add(block.ids);
  const auto weights = pack.add(block.weights);
  const auto row_offsets = pack.add(fields.offsets);
  const auto row_bags = pack.add(fields.ids);
  const auto row_samples = pack.add(whole.ids);
  const auto row_weights = pack.add(fields.weights);
  there_.assign(bytes_);
  const unsigned char* base = there_.data();
  samples_ = samples.in(base);
  labels_ = labels.in(base);
  places_ = at.in(base);
  fields_ = {offsets.in(base), ids.in(base), weights.in(base)};
  whole_samples_ = {sample_offsets.in(base), ids.in(base), weights.in(base)};
  // The entries of a row are in the same order either way.
  by_row_ = {{row_offsets.in(base), row_bags.in(base), row_weights.in(base)},
             {row_offsets.in(base), row_samples.in(base), row_weights.in(base)}};
}

void CtrBlockArrays::add_row_gradients(bool whole, std::int64_t columns, std::int64_t stride,
                                       const float* dy, float* drows) const {
  if (queue_.device == Device::kCuda) {
    kernels::embedding_bag(queue_, {rows_, columns, columns, stride},
                           whole ? by_row_.whole_samples : by_row_.fields, dy, drows);
    return;
  }
  kernels::embedding_bag_backward(queue_, {whole ? sample_count_ : bag_count_, columns, stride, 0},
                                  whole ? whole_samples_ : fields_, dy, drows);
}

}  // namespace rallrec::train
