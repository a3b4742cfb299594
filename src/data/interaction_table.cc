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
  std::sort(keys.begin(), keys.end());
  std::vector<std::int32_t> rows(keys.size());
  std::transform(keys.begin(), keys.end(), rows.begin(),
                 [](const SortKey& key) { return key.row; });
  return rows;
}

}  // namespace rallrec::data
