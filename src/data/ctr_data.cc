#include "data/ctr_data.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "data/history.h"

namespace rallrec::data {
namespace {

void append_history(const Dataset& dataset, std::int32_t sample, std::int64_t longest,
                    CtrSamples& samples) {
  const History history = history_of(dataset, sample);
  const auto size = static_cast<std::int64_t>(history.size());
  for (std::int64_t k = std::max<std::int64_t>(0, size - longest); k < size; ++k) {
    samples.history.push_back(history.item(static_cast<std::size_t>(k)));
  }
  samples.history_offsets.push_back(static_cast<std::int64_t>(samples.history.size()));
}

CtrSamples samples_of(const Dataset& dataset, Split split, const std::string& source,
                      std::int64_t history) {
  CtrSamples samples;
  samples.source = source;
  if (history > 0) samples.history_offsets.push_back(0);
  const SampleRange range = range_of(dataset.samples, split);
  for (std::int32_t sample = range.begin; sample < range.end; ++sample) {
    samples.user.push_back(dataset.sample_user(sample));
    samples.item.push_back(dataset.sample_item(sample));
    samples.label.push_back(dataset.samples.label[sample]);
    if (dataset.interactions.has_timestamps()) {
      samples.timestamp.push_back(dataset.sample_timestamp(sample));
    }
    if (history > 0) append_history(dataset, sample, history, samples);
  }
  return samples;
}

void require_both_labels(const CtrSamples& samples, const char* split) {
  if (samples.size() == 0) throw_bad_data(samples.source, "holds no sample");
  const auto positives = std::count(samples.label.begin(), samples.label.end(), 1);
  if (positives == 0 || positives == samples.size()) {
    throw_bad_data(samples.source,
                   "all " + std::to_string(samples.size()) + " labels of " + split + " are " +
                       (positives == 0 ? "0" : "1") +
                       ", so the AUC is not defined; expected samples with 0 and with 1");
  }
}

}  // namespace

CtrData ctr_data_of(Dataset&& dataset, const std::string& source, std::int64_t history) {
  CtrData data;
  data.train = samples_of(dataset, Split::kTrain, source, history);
  data.valid = samples_of(dataset, Split::kValid, source, history);
  data.test = samples_of(dataset, Split::kTest, source, history);
  data.users = std::move(dataset.users);
  data.items = std::move(dataset.items);
  data.user_fields = std::move(dataset.user_fields);
  data.item_fields = std::move(dataset.item_fields);
  return data;
}

void require_both_labels(const CtrData& data) {
  require_both_labels(data.train, "train");
  require_both_labels(data.valid, "valid");
  require_both_labels(data.test, "test");
}

}  // namespace rallrec::data
