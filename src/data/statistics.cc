#include "data/statistics.h"

#include <algorithm>
#include <cstdio>

namespace rallrec::data {
namespace {

constexpr std::array<Split, 3> kSplits = {Split::kTrain, Split::kValid, Split::kTest};
constexpr std::array<const char*, 3> kSplitNames = {"train", "valid", "test"};

// Which users and items occur in the training samples.
struct SeenInTraining {
  explicit SeenInTraining(const Dataset& dataset)
      : users(dataset.users.size(), false), items(dataset.items.size(), false) {
    for (std::int32_t sample = 0; sample < dataset.samples.train_end; ++sample) {
      users[dataset.sample_user(sample)] = true;
      items[dataset.sample_item(sample)] = true;
    }
  }
  std::vector<bool> users;
  std::vector<bool> items;
};

SplitStatistics split_statistics(const Dataset& dataset, const SeenInTraining& seen, Split split) {
  SplitStatistics result;
  const SampleRange range = range_of(dataset.samples, split);
  result.samples = range.size();
  for (std::int32_t sample = range.begin; sample < range.end; ++sample) {
    result.positives += dataset.samples.label[sample];
    result.unseen_users += seen.users[dataset.sample_user(sample)] ? 0 : 1;
    result.unseen_items += seen.items[dataset.sample_item(sample)] ? 0 : 1;
  }
  return result;
}

// One pass over each timeline: an interaction's item is in its history where it was seen before.
std::int64_t count_targets_in_history(const Dataset& dataset) {
  const InteractionTable& table = dataset.interactions;
  std::vector<bool> repeated(table.size(), false);
  std::vector<std::int32_t> last_user(dataset.items.size(), -1);
  for (std::int32_t user = 0; user < dataset.users.size(); ++user) {
    for (const std::int32_t row : dataset.timelines.of(user)) {
      repeated[row] = last_user[table.item[row]] == user;
      last_user[table.item[row]] = user;
    }
  }
  const auto& rows = dataset.samples.row;
  return std::count_if(rows.begin(), rows.end(), [&](std::int32_t row) { return repeated[row]; });
}

void add_histories(const SampleTable& samples, DatasetStatistics& statistics) {
  std::int64_t total = 0;
  for (const std::int32_t position : samples.position) {
    total += position;
    statistics.longest_history = std::max<std::int64_t>(statistics.longest_history, position);
  }
  if (samples.size() > 0) statistics.mean_history = static_cast<double>(total) / samples.size();
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::vector<FieldStatistics> fields_of(const FieldTable& table) {
  std::vector<FieldStatistics> fields;
  for (const Field& field : table.fields) {
    FieldStatistics statistics{field.name, 0};
    for (std::size_t row = 1; row < field.offsets.size(); ++row) {
      statistics.filled += field.offsets[row] > field.offsets[row - 1] ? 1 : 0;
    }
    fields.push_back(statistics);
  }
  return fields;
}

std::string field_list(const char* whose, const std::vector<FieldStatistics>& fields) {
  std::string text = std::string(whose) + " with ";
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text += (i == 0 ? "" : ", ") + fields[i].name + " (" + std::to_string(fields[i].filled) + ")";
  }
  return fields.empty() ? std::string(whose) + " without columns" : text;
}

std::string field_line(const DatasetStatistics& statistics) {
  const bool titled =
      std::any_of(statistics.item_fields.begin(), statistics.item_fields.end(),
                  [](const FieldStatistics& field) { return field.name == "title"; });
  return field_list("users", statistics.user_fields) + "; " +
         field_list("items", statistics.item_fields) +
         (titled ? "" : "; without a title, prompts show the items' ids");
}

std::string split_line(const char* name, const SplitStatistics& split) {
  return format("%s: %lld samples, %.4f positive, unseen in train: %lld by user, %lld by item",
                name, static_cast<long long>(split.samples), split.positive_rate(),
                static_cast<long long>(split.unseen_users),
                static_cast<long long>(split.unseen_items));
}

}  // namespace

double SplitStatistics::positive_rate() const {
  return samples == 0 ? 0.0 : static_cast<double>(positives) / static_cast<double>(samples);
}

std::int64_t DatasetStatistics::samples() const {
  std::int64_t total = 0;
  for (const SplitStatistics& split : splits) total += split.samples;
  return total;
}

DatasetStatistics statistics_of(const Dataset& dataset) {
  DatasetStatistics statistics;
  statistics.rows = static_cast<std::int64_t>(dataset.interactions.size());
  statistics.users = dataset.users.size();
  statistics.items = dataset.items.size();
  std::vector<bool> used(dataset.items.size(), false);
  for (const std::int32_t item : dataset.interactions.item) used[item] = true;
  statistics.used_items = std::count(used.begin(), used.end(), true);
  statistics.rejected_rows = dataset.rejected_rows;
  statistics.filtered_rows = dataset.filtered_rows;
  statistics.repeated_rows = dataset.repeated_rows;
  statistics.samples_with_target_in_history = count_targets_in_history(dataset);
  statistics.user_fields = fields_of(dataset.user_fields);
  statistics.item_fields = fields_of(dataset.item_fields);
  add_histories(dataset.samples, statistics);
  const SeenInTraining seen(dataset);
  for (std::size_t k = 0; k < kSplits.size(); ++k) {
    statistics.splits[k] = split_statistics(dataset, seen, kSplits[k]);
  }
  return statistics;
}

std::vector<std::string> lines_of(const DatasetStatistics& statistics) {
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  std::vector<std::string> lines;
  lines.push_back(number(statistics.rows) + " interactions of " + number(statistics.users) +
                  " users with " + number(statistics.used_items) + " of " +
                  number(statistics.items) + " items");
  lines.push_back(field_line(statistics));
  lines.push_back(number(statistics.samples()) + " samples, histories of " +
                  format("%.1f", statistics.mean_history) + " interactions on average, at most " +
                  number(statistics.longest_history));
  for (std::size_t k = 0; k < kSplitNames.size(); ++k) {
    lines.push_back(split_line(kSplitNames[k], statistics.splits[k]));
  }
  lines.push_back("rows dropped: " + number(statistics.rejected_rows) + " malformed, " +
                  number(statistics.filtered_rows) + " by filters, " +
                  number(statistics.repeated_rows) + " older of a repeated (user, item) pair; " +
                  number(statistics.samples_with_target_in_history) +
                  " samples have their own item in the history");
  return lines;
}

}  // namespace rallrec::data
