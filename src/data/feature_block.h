#pragma once

#include <cstdint>
#include <vector>

#include "data/ctr_features.h"

namespace rallrec::data {

// The features of some samples, ready to be looked up: field f of the block's sample s has the
// entries [offsets[s · fields + f], offsets[s · fields + f + 1]); entry e is row rows[ids[e]] of
// the table with weights[e].
struct FeatureBlock {
  std::vector<std::int64_t> samples;         // numbers within the split
  std::vector<std::uint8_t> labels;          // of them
  std::vector<std::int64_t> offsets;         // [samples · fields + 1]
  std::vector<std::int64_t> sample_offsets;  // [samples + 1]: all entries of a sample
  std::vector<std::int32_t> ids;
  std::vector<float> weights;
  std::vector<std::int32_t> rows;  // of the table, each once, in order of first use

  std::int64_t size() const { return static_cast<std::int64_t>(samples.size()); }
};

// Fills blocks. Holds a number per row of the table, so that a block costs only its entries. Not
// for concurrent use; `features` must outlive it.
class FeatureBlocker {
 public:
  explicit FeatureBlocker(const CtrFeatures& features)
      : features_(features), places_(static_cast<std::size_t>(features.rows), -1) {}

  // samples[0 … count) are numbers of `split`.
  void fill(const CtrSamples& split, const std::int64_t* samples, std::int64_t count,
            FeatureBlock& block);

 private:
  void add_bags(const FeatureBags& bags, std::int32_t entity, FeatureBlock& block);
  void add_history(const CtrSamples& split, std::int64_t sample, FeatureBlock& block);
  void add_entry(std::int32_t row, float weight, FeatureBlock& block);

  const CtrFeatures& features_;
  std::vector<std::int32_t> places_;  // of the table's rows in block.rows; -1 = not there
};

}  // namespace rallrec::data
