#include "data/dataset.h"

#include <utility>
#include <vector>

#include "core/error.h"

namespace rallrec::data {
namespace {

// inverse[ids[k]] = k; ids that do not occur map to -1.
std::vector<std::int32_t> inverse_of(const std::vector<std::int32_t>& ids, std::int32_t size) {
  std::vector<std::int32_t> inverse(static_cast<std::size_t>(size), -1);
  for (std::size_t k = 0; k < ids.size(); ++k) inverse[ids[k]] = static_cast<std::int32_t>(k);
  return inverse;
}

void renumber(std::vector<std::int32_t>& column, const std::vector<std::int32_t>& new_id) {
  for (std::int32_t& id : column) id = new_id[id];
}

// A user without interactions has neither history nor place in the graph; an item without them can
// still be described and recommended from its text.
std::vector<std::int32_t> active_users(const RawData& raw) {
  std::vector<bool> active(static_cast<std::size_t>(raw.users.size()), false);
  for (const std::int32_t user : raw.interactions.user) active[user] = true;
  std::vector<std::int32_t> ids;
  for (const std::int32_t id : raw.users.sorted()) {
    if (active[id]) ids.push_back(id);
  }
  return ids;
}

void take_ids(RawData& raw, Dataset& dataset) {
  const std::vector<std::int32_t> users = active_users(raw);
  const std::vector<std::int32_t> items = raw.items.sorted();
  renumber(raw.interactions.user, inverse_of(users, raw.users.size()));
  renumber(raw.interactions.item, inverse_of(items, raw.items.size()));
  dataset.users = raw.users.select(users);
  dataset.items = raw.items.select(items);
  dataset.user_fields = select_rows(raw.user_fields, users);
  dataset.item_fields = select_rows(raw.item_fields, items);
}

void take_interactions(RawData& raw, bool deduplicate, Dataset& dataset) {
  dataset.interactions = std::move(raw.interactions);
  dataset.interactions.select(time_order(dataset.interactions));
  dataset.timelines = make_timelines(dataset.interactions, dataset.users.size());
  if (!deduplicate) return;
  const std::vector<std::int32_t> kept =
      newest_of_pairs(dataset.interactions, dataset.timelines, dataset.items.size());
  dataset.repeated_rows = static_cast<std::int64_t>(dataset.interactions.size() - kept.size());
  if (dataset.repeated_rows == 0) return;
  dataset.interactions.select(kept);
  dataset.timelines = make_timelines(dataset.interactions, dataset.users.size());
}

void require_split(const SampleTable& samples, Split split, const char* name,
                   const std::string& source) {
  if (range_of(samples, split).size() > 0) return;
  throw_bad_data(source, std::string("the ") + name +
                             " split is empty: " + std::to_string(samples.size()) +
                             " samples are too few for the shares of section [data]; give more "
                             "interactions or lower data.min_history");
}

}  // namespace

Dataset build_dataset(RawData&& raw, const config::DataOptions& options) {
  if (raw.interactions.size() == 0) throw_bad_data(raw.source, "no interactions in this file");
  Dataset dataset;
  dataset.rejected_rows = raw.rejected_rows;
  take_ids(raw, dataset);
  take_interactions(raw, options.deduplicate, dataset);
  const SampleRules rules{options.label_threshold, options.min_history, options.train_share,
                          options.valid_share};
  dataset.samples = make_samples(dataset.interactions, dataset.timelines, rules, raw.source);
  require_split(dataset.samples, Split::kTrain, "train", raw.source);
  if (options.valid_share > 0) require_split(dataset.samples, Split::kValid, "valid", raw.source);
  if (options.train_share + options.valid_share < 1) {
    require_split(dataset.samples, Split::kTest, "test", raw.source);
  }
  return dataset;
}

}  // namespace rallrec::data
