#include "data/feature_block.h"

namespace rallrec::data {

void FeatureBlocker::add_entry(std::int32_t row, float weight, FeatureBlock& block) {
  std::int32_t& place = places_[static_cast<std::size_t>(row)];
  if (place < 0) {
    place = static_cast<std::int32_t>(block.rows.size());
    block.rows.push_back(row);
  }
  block.ids.push_back(place);
  block.weights.push_back(weight);
}

void FeatureBlocker::add_bags(const FeatureBags& bags, std::int32_t entity, FeatureBlock& block) {
  const std::int64_t first = entity * bags.fields;
  for (std::int64_t f = first; f < first + bags.fields; ++f) {
    const auto end = static_cast<std::size_t>(bags.offsets[static_cast<std::size_t>(f) + 1]);
    for (auto e = static_cast<std::size_t>(bags.offsets[static_cast<std::size_t>(f)]); e < end;
         ++e) {
      add_entry(bags.rows[e], bags.weights[e], block);
    }
    block.offsets.push_back(static_cast<std::int64_t>(block.ids.size()));
  }
}

void FeatureBlocker::add_history(const CtrSamples& split, std::int64_t sample,
                                 FeatureBlock& block) {
  const auto items =
      row_view(split.history_offsets, split.history, static_cast<std::size_t>(sample));
  if (items.empty()) {
    add_entry(features_.fields.back().first_row, 1.0F, block);
  }
  for (const std::int32_t item : items) {
    add_entry(features_.history_rows[static_cast<std::size_t>(item)],
              1.0F / static_cast<float>(items.size()), block);
  }
  block.offsets.push_back(static_cast<std::int64_t>(block.ids.size()));
}

void FeatureBlocker::fill(const CtrSamples& split, const std::int64_t* samples, std::int64_t count,
                          FeatureBlock& block) {
  block.samples.assign(samples, samples + count);
  block.labels.clear();
  block.offsets.assign(1, 0);
  block.sample_offsets.assign(1, 0);
  block.ids.clear();
  block.weights.clear();
  block.rows.clear();
  for (const std::int64_t sample : block.samples) {
    const auto s = static_cast<std::size_t>(sample);
    block.labels.push_back(split.label[s]);
    add_bags(features_.users, split.user[s], block);
    add_bags(features_.items, split.item[s], block);
    if (features_.has_history()) {
      add_history(split, sample, block);
    }
    block.sample_offsets.push_back(block.offsets.back());
  }
  for (const std::int32_t row : block.rows) {
    places_[static_cast<std::size_t>(row)] = -1;
  }
}

}  // namespace rallrec::data
