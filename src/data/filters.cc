#include "data/filters.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "config/did_you_mean.h"
#include "core/error.h"
#include "data/renumber.h"

namespace rallrec::data {
namespace {

using Ids = std::vector<std::int32_t>;
using Marks = std::vector<bool>;
using Counts = std::vector<std::int64_t>;

// How many rows a user or an item may have.
struct Bounds {
  std::int64_t low = 0;
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  bool hold(std::int64_t count) const { return count >= low && count <= high; }
};

Bounds bounds_of(std::int64_t low, std::int64_t high) {
  Bounds bounds;
  bounds.low = low;
  if (high > 0) bounds.high = high;
  return bounds;
}

// The rows of a data set that are still in.
class RowSieve {
 public:
  explicit RowSieve(const RawData& raw)
      : users_(raw.interactions.user),
        items_(raw.interactions.item),
        ratings_(raw.interactions.rating),
        user_count_(static_cast<std::size_t>(raw.users.size())),
        item_count_(static_cast<std::size_t>(raw.items.size())),
        in_(users_.size(), true) {}

  // Of the rows that are in.
  Counts user_rows() const { return counts(users_, user_count_); }
  Counts item_rows() const { return counts(items_, item_count_); }

  // Puts out the rows for which keeps(user, item) is false. Returns how many went.
  template <class Keeps>
  std::int64_t keep(const Keeps& keeps) {
    std::int64_t gone = 0;
    for (std::size_t row = 0; row < in_.size(); ++row) {
      if (!in_[row] || keeps(users_[row], items_[row])) continue;
      in_[row] = false;
      ++gone;
    }
    return gone;
  }
  std::int64_t keep_users(const Bounds& bounds) {
    const Counts rows = user_rows();
    return keep([&](std::int32_t user, std::int32_t) { return bounds.hold(rows[user]); });
  }
  std::int64_t keep_items(const Bounds& bounds) {
    const Counts rows = item_rows();
    return keep([&](std::int32_t, std::int32_t item) { return bounds.hold(rows[item]); });
  }
  std::int64_t keep_items(const Marks& kept) {
    return keep([&](std::int32_t, std::int32_t item) { return kept[item]; });
  }

  void drop_unrated() {
    for (std::size_t row = 0; row < ratings_.size(); ++row) {
      if (ratings_[row] == 0.0F) in_[row] = false;
    }
  }

  std::int64_t size() const { return std::count(in_.begin(), in_.end(), true); }

  Ids rows() const {
    Ids rows;
    for (std::size_t row = 0; row < in_.size(); ++row) {
      if (in_[row]) rows.push_back(static_cast<std::int32_t>(row));
    }
    return rows;
  }

 private:
  Counts counts(const Ids& ids, std::size_t size) const {
    Counts counts(size, 0);
    for (std::size_t row = 0; row < ids.size(); ++row) counts[ids[row]] += in_[row] ? 1 : 0;
    return counts;
  }

  const Ids& users_;
  const Ids& items_;
  const std::vector<float>& ratings_;
  std::size_t user_count_;
  std::size_t item_count_;
  Marks in_;
};

const Field& required_field(const RawData& raw, const std::string& name) {
  const Field* field = raw.item_fields.find(name);
  if (field != nullptr) return *field;
  std::vector<std::string> known;
  for (const Field& candidate : raw.item_fields.fields) known.push_back(candidate.name);
  throw_usage("data.required_fields: items of " + raw.source + " have no field \"" + name + "\"" +
              config::did_you_mean(name, known));
}

bool has_value(const RawData& raw, const Field& field, std::int32_t item) {
  const std::string text = raw.item_fields.text(field.name, item);
  return !text.empty() && text != kUnknown;
}

// The items that have all required fields.
Marks complete_items(const RawData& raw, const std::vector<std::string>& names) {
  Marks complete(static_cast<std::size_t>(raw.items.size()), true);
  for (const std::string& name : names) {
    const Field& field = required_field(raw, name);
    for (std::int32_t item = 0; item < raw.items.size(); ++item) {
      if (complete[item]) complete[item] = has_value(raw, field, item);
    }
  }
  return complete;
}

// One turn of the core. Returns the number of rows that went.
std::int64_t narrow(RowSieve& rows, const Bounds& users, const Bounds& items,
                    const std::string& order) {
  if (order == "together") {
    const Counts of_user = rows.user_rows();
    const Counts of_item = rows.item_rows();
    return rows.keep([&](std::int32_t user, std::int32_t item) {
      return users.hold(of_user[user]) && items.hold(of_item[item]);
    });
  }
  const bool users_first = order == "users_first";
  const std::int64_t first = users_first ? rows.keep_users(users) : rows.keep_items(items);
  return first + (users_first ? rows.keep_items(items) : rows.keep_users(users));
}

void take_core(RowSieve& rows, const config::DataOptions& options) {
  const Bounds users = bounds_of(options.core_min_user_rows, options.core_max_user_rows);
  const Bounds items = bounds_of(options.core_min_item_rows, options.core_max_item_rows);
  while (narrow(rows, users, items, options.core_order) > 0) {
  }
}

Marks items_with_rows(const RowSieve& rows) {
  const Counts counts = rows.item_rows();
  Marks used(counts.size());
  for (std::size_t item = 0; item < counts.size(); ++item) used[item] = counts[item] > 0;
  return used;
}

void take_frequent_items(RowSieve& rows, const RawData& raw, std::int64_t most) {
  if (most == 0 || most >= raw.items.size()) return;
  const Counts counts = rows.item_rows();
  Ids items = raw.items.sorted();
  std::stable_sort(items.begin(), items.end(), [&](std::int32_t left, std::int32_t right) {
    return counts[left] > counts[right];
  });
  Marks kept(counts.size(), false);
  for (std::int64_t k = 0; k < most; ++k) kept[items[static_cast<std::size_t>(k)]] = true;
  rows.keep_items(kept);
}

bool bounds_items(const config::DataOptions& options) {
  return options.core_min_item_rows > 0 || options.core_max_item_rows > 0 ||
         options.frequent_items > 0;
}

void keep_items(RawData& raw, const Marks& kept) {
  Ids ids;
  for (std::size_t item = 0; item < kept.size(); ++item) {
    if (kept[item]) ids.push_back(static_cast<std::int32_t>(item));
  }
  if (ids.size() == kept.size()) return;
  renumber(raw.interactions.item, inverse_of(ids, raw.items.size()));
  raw.items = raw.items.select(ids);
  raw.item_fields = select_rows(raw.item_fields, ids);
}

// "core_min_user_rows = 11, core_min_item_rows = 10": the bounds that are set.
std::string core_words(const config::DataOptions& options) {
  std::vector<std::string> words;
  const auto add = [&words](const char* key, std::int64_t value) {
    if (value > 0) words.push_back(key + (" = " + std::to_string(value)));
  };
  add("core_min_user_rows", options.core_min_user_rows);
  add("core_max_user_rows", options.core_max_user_rows);
  add("core_min_item_rows", options.core_min_item_rows);
  add("core_max_item_rows", options.core_max_item_rows);
  return config::joined(words);
}

// The filters in turn, and what each left: where none is left, the message says which it was.
class FilterRun {
 public:
  FilterRun(const RawData& raw, RowSieve& rows, const config::DataOptions& options)
      : raw_(raw), rows_(rows), options_(options), left_(rows.size()) {}

  // `complete` are the items that have all required fields.
  void run(const Marks& complete) {
    if (options_.implicit == "drop") rows_.drop_unrated();
    note("implicit = drop");
    if (options_.core_keeps == "items") {
      RowSieve core = rows_;
      take_core(core, options_);
      rows_.keep_items(items_with_rows(core));
      note(core_words(options_));
      require_fields(complete);
    } else {
      require_fields(complete);
      take_core(rows_, options_);
      note(core_words(options_));
    }
    take_frequent_items(rows_, raw_, options_.frequent_items);
    note("frequent_items = " + std::to_string(options_.frequent_items));
    rows_.keep_users(bounds_of(options_.min_user_rows, 0));
    note("min_user_rows = " + std::to_string(options_.min_user_rows));
  }

 private:
  void require_fields(const Marks& complete) {
    rows_.keep_items(complete);
    note("required_fields = " + config::joined(options_.required_fields));
  }

  void note(const std::string& filter) {
    const std::int64_t left = rows_.size();
    if (left < left_) {
      story_.push_back(filter + " left " + std::to_string(left) + " of " + std::to_string(left_));
      left_ = left;
    }
    if (left == 0) {
      std::string story;
      for (const std::string& part : story_) story.append(story.empty() ? "" : "; ").append(part);
      throw_bad_data(raw_.source, "no interaction is left after the filters of section [data]: " +
                                      story + "; loosen that one");
    }
  }

  const RawData& raw_;
  RowSieve& rows_;
  const config::DataOptions& options_;
  std::int64_t left_;
  std::vector<std::string> story_;
};

}  // namespace

std::int64_t apply_filters(RawData& raw, const config::DataOptions& options) {
  RowSieve rows(raw);
  Marks kept = complete_items(raw, options.required_fields);
  FilterRun(raw, rows, options).run(kept);
  const Ids kept_rows = rows.rows();
  if (bounds_items(options)) {
    const Marks used = items_with_rows(rows);
    std::transform(kept.begin(), kept.end(), used.begin(), kept.begin(), std::logical_and<>());
  }
  const std::size_t before = raw.interactions.size();
  raw.interactions.select(kept_rows);
  keep_items(raw, kept);
  return static_cast<std::int64_t>(before - kept_rows.size());
}

}  // namespace rallrec::data
