#include "data/row_order.h"

#include "data/python_random.h"

namespace rallrec::data {

std::vector<std::int32_t> shuffled_order(const InteractionTable& table, std::int32_t users,
                                         std::int64_t seed) {
  const Timelines timelines = make_timelines(table, users);
  std::vector<bool> taken(static_cast<std::size_t>(users), false);
  std::vector<std::int32_t> order;
  order.reserve(table.size());
  for (const std::int32_t user : table.user) {
    if (taken[user]) continue;
    taken[user] = true;
    const ArrayView<std::int32_t> timeline = timelines.of(user);
    std::vector<std::int32_t> rows(timeline.begin(), timeline.end());
    PythonRandom(static_cast<std::uint64_t>(seed)).shuffle(rows);
    order.insert(order.end(), rows.begin(), rows.end());
  }
  return order;
}

std::vector<std::int32_t> shuffled_targets_last(const InteractionTable& table,
                                                const Timelines& timelines,
                                                std::int64_t min_history, std::int64_t seed) {
  std::vector<std::int32_t> order;
  std::vector<std::int32_t> targets;
  for (std::size_t row = 0; row < table.size(); ++row) {
    const ArrayView<std::int32_t> timeline = timelines.of(table.user[row]);
    const auto index = static_cast<std::int32_t>(row);
    const bool is_target = timeline[timeline.size() - 1] == index &&
                           static_cast<std::int64_t>(timeline.size()) > min_history;
    (is_target ? targets : order).push_back(index);
  }
  PythonRandom(static_cast<std::uint64_t>(seed)).shuffle(targets);
  order.insert(order.end(), targets.begin(), targets.end());
  return order;
}

}  // namespace rallrec::data
