#include "data/interaction_table.h"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>

#include "core/check.h"

namespace rallrec::data {
namespace {

// Keys lie side by side while they are sorted: comparing through row numbers would miss the cache
// at every step. The row settles ties, so the order is stable.
struct SortKey {
  std::int64_t timestamp;
  std::int32_t user;
  std::int32_t item;
  std::int32_t row;

  bool operator<(const SortKey& other) const {
    return std::tie(timestamp, user, item, row) <
           std::tie(other.timestamp, other.user, other.item, other.row);
  }
};

// Few sources have fractions: they are not in the key, which would be larger for all.
void sort_with_fractions(const std::vector<double>& fractions, std::vector<SortKey>& keys) {
  std::sort(keys.begin(), keys.end(), [&fractions](const SortKey& left, const SortKey& right) {
    const double of_left = fractions[left.row];
    const double of_right = fractions[right.row];
    if (left.timestamp != right.timestamp || of_left == of_right) return left < right;
    return of_left < of_right;
  });
}

template <class T>
void gather(std::vector<T>& column, const std::vector<std::int32_t>& rows) {
  if (column.empty()) return;
  std::vector<T> result(rows.size());
  for (std::size_t k = 0; k < rows.size(); ++k) result[k] = column[rows[k]];
  column = std::move(result);
}

}  // namespace

void InteractionTable::select(const std::vector<std::int32_t>& rows) {
  gather(user, rows);
  gather(item, rows);
  gather(rating, rows);
  gather(timestamp, rows);
  gather(timestamp_fraction, rows);
}

void InteractionTable::add_time(std::int64_t whole, double part) {
  if (part > 0.0 && timestamp_fraction.empty()) {
    timestamp_fraction.reserve(timestamp.capacity());
    timestamp_fraction.assign(timestamp.size(), 0.0);
  }
  // Without a fraction so far none is kept, and an empty column stays empty.
  if (part > 0.0 || !timestamp_fraction.empty()) timestamp_fraction.push_back(part);
  timestamp.push_back(whole);
}

std::vector<std::int32_t> time_order(const InteractionTable& table) {
  RALLREC_CHECK(table.size() < static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()),
                "more interactions than a 32-bit row number can count");
  const bool timed = table.has_timestamps();
  std::vector<SortKey> keys(table.size());
  for (std::size_t row = 0; row < keys.size(); ++row) {
    keys[row] = {timed ? table.timestamp[row] : 0, table.user[row], table.item[row],
                 static_cast<std::int32_t>(row)};
  }
  if (table.timestamp_fraction.empty()) {
    std::sort(keys.begin(), keys.end());
  } else {
    sort_with_fractions(table.timestamp_fraction, keys);
  }
  std::vector<std::int32_t> rows(keys.size());
  std::transform(keys.begin(), keys.end(), rows.begin(),
                 [](const SortKey& key) { return key.row; });
  return rows;
}

}  // namespace rallrec::data
