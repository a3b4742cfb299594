#include "data/dataset.h"

#include <utility>
#include <vector>

#include "core/check.h"
#include "core/error.h"
#include "data/filters.h"
#include "data/renumber.h"
#include "data/row_order.h"

namespace rallrec::data {
namespace {

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

void arrange(Dataset& dataset, const std::vector<std::int32_t>& rows) {
  dataset.interactions.select(rows);
  dataset.timelines = make_timelines(dataset.interactions, dataset.users.size());
}

// Keeps the newest rows of pairs; the table is in order, its timelines are set.
void deduplicate(Dataset& dataset) {
  const std::vector<std::int32_t> kept =
      newest_of_pairs(dataset.interactions, dataset.timelines, dataset.items.size());
  dataset.repeated_rows = static_cast<std::int64_t>(dataset.interactions.size() - kept.size());
  if (dataset.repeated_rows > 0) arrange(dataset, kept);
}

void take_interactions(RawData& raw, const config::DataOptions& options, Dataset& dataset) {
  const bool by_time = options.order == "time";
  if (by_time && !raw.interactions.has_timestamps()) {
    throw_bad_data(raw.source,
                   "the interactions have no timestamps, so they have no order in time; set "
                   "data.order to file or shuffle where another will do");
  }
  dataset.interactions = std::move(raw.interactions);
  if (by_time) {
    arrange(dataset, time_order(dataset.interactions));
  } else {
    dataset.timelines = make_timelines(dataset.interactions, dataset.users.size());
  }
  if (options.deduplicate) deduplicate(dataset);
  if (options.order == "shuffle") {
    arrange(dataset, shuffled_order(dataset.interactions, dataset.users.size(), options.seed));
  }
  if (options.split == "shuffle") {
    arrange(dataset, shuffled_targets_last(dataset.interactions, dataset.timelines,
                                           options.min_history, options.seed));
  }
  dataset.time_ordered = by_time && options.split == "ordered";
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
  RALLREC_CHECK(options.split != "shuffle" || options.samples == "last_per_user",
                "a shuffled split would show answers of test in histories of train");
  Dataset dataset;
  dataset.rejected_rows = raw.rejected_rows;
  dataset.filtered_rows = apply_filters(raw, options);
  take_ids(raw, dataset);
  take_interactions(raw, options, dataset);
  const SampleRules rules{options.label_threshold, options.min_history,
                          options.samples == "last_per_user", options.train_share,
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
