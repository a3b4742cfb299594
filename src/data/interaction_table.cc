#include "data/interaction_table.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <tuple>
#include <unordered_set>

#include "core/check.h"

namespace rallrec::data {
namespace {

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
  std::vector<std::int32_t> rows(table.size());
  std::iota(rows.begin(), rows.end(), 0);
  const bool timed = table.has_timestamps();
  const auto key = [&](std::int32_t row) {
    return std::make_tuple(timed ? table.timestamp[row] : 0, table.user[row], table.item[row]);
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::int32_t left, std::int32_t right) { return key(left) < key(right); });
  return rows;
}

std::vector<std::int32_t> newest_of_pairs(const InteractionTable& table) {
  std::unordered_set<std::uint64_t> seen;
  seen.reserve(table.size());
  std::vector<std::int32_t> kept;
  for (std::size_t row = table.size(); row-- > 0;) {
    const std::uint64_t pair = (static_cast<std::uint64_t>(table.user[row]) << 32) |
                               static_cast<std::uint32_t>(table.item[row]);
    if (seen.insert(pair).second) kept.push_back(static_cast<std::int32_t>(row));
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

}  // namespace rallrec::data
