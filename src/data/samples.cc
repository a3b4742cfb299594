#include "data/samples.h"

#include <cmath>
#include <string>

#include "core/error.h"

namespace rallrec::data {
namespace {

// floor(share · count). A share such as 0.7 is stored slightly below its decimal value, and the
// product of such a value must not lose a whole sample to that.
std::int32_t share_of(double share, std::int32_t count) {
  return static_cast<std::int32_t>(std::floor(share * count + 1e-9));
}

void split_in_order(SampleTable& samples, const SampleRules& rules) {
  samples.train_end = share_of(rules.train_share, samples.size());
  samples.valid_end = samples.train_end + share_of(rules.valid_share, samples.size());
}

void require_ratings(const InteractionTable& table, const std::string& source) {
  if (!table.has_ratings()) {
    throw_bad_data(source,
                   "the interactions have no ratings, so samples have no labels; expected a "
                   "rating in each row");
  }
}

}  // namespace

Timelines make_timelines(const InteractionTable& table, std::int32_t users) {
  Timelines timelines;
  timelines.offsets.assign(static_cast<std::size_t>(users) + 1, 0);
  for (const std::int32_t user : table.user) ++timelines.offsets[user + 1];
  for (std::int32_t user = 0; user < users; ++user) {
    timelines.offsets[user + 1] += timelines.offsets[user];
  }
  std::vector<std::int32_t> next(timelines.offsets.begin(), timelines.offsets.end() - 1);
  timelines.rows.resize(table.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    timelines.rows[next[table.user[row]]++] = static_cast<std::int32_t>(row);
  }
  return timelines;
}

std::vector<std::int32_t> newest_of_pairs(const InteractionTable& table, const Timelines& timelines,
                                          std::int32_t items) {
  const auto users = static_cast<std::int32_t>(timelines.offsets.size()) - 1;
  // The user for whom a newer row of the item has been met.
  std::vector<std::int32_t> met_for(static_cast<std::size_t>(items), -1);
  std::vector<bool> keep(table.size(), false);
  for (std::int32_t user = 0; user < users; ++user) {
    const ArrayView<std::int32_t> timeline = timelines.of(user);
    for (std::size_t k = timeline.size(); k-- > 0;) {
      std::int32_t& met = met_for[table.item[timeline[k]]];
      keep[timeline[k]] = met != user;
      met = user;
    }
  }
  std::vector<std::int32_t> kept;
  for (std::size_t row = 0; row < keep.size(); ++row) {
    if (keep[row]) kept.push_back(static_cast<std::int32_t>(row));
  }
  return kept;
}

SampleRange range_of(const SampleTable& samples, Split split) {
  switch (split) {
    case Split::kTrain:
      return {0, samples.train_end};
    case Split::kValid:
      return {samples.train_end, samples.valid_end};
    case Split::kTest:
      break;
  }
  return {samples.valid_end, samples.size()};
}

SampleTable make_samples(const InteractionTable& table, const Timelines& timelines,
                         const SampleRules& rules, const std::string& source) {
  require_ratings(table, source);
  SampleTable samples;
  std::vector<std::int32_t> earlier(timelines.offsets.size(), 0);
  for (std::size_t row = 0; row < table.size(); ++row) {
    const std::int32_t position = earlier[table.user[row]]++;
    const std::size_t later = timelines.of(table.user[row]).size() - position - 1;
    if (position < rules.min_history || (rules.last_per_user && later > 0)) continue;
    samples.row.push_back(static_cast<std::int32_t>(row));
    samples.position.push_back(position);
    samples.label.push_back(table.rating[row] > rules.label_threshold ? 1 : 0);
  }
  split_in_order(samples, rules);
  return samples;
}

}  // namespace rallrec::data
