#include "metrics/common_rows.h"

#include <algorithm>
#include <unordered_map>

#include "core/check.h"

namespace rallrec::metrics {
namespace {

using Counts = std::unordered_map<std::uint64_t, std::uint32_t>;

Counts counts_of(const std::vector<std::uint64_t>& rows) {
  Counts counts;
  for (const std::uint64_t row : rows) {
    ++counts[row];
  }
  return counts;
}

void keep_common(Counts& common, const Counts& other) {
  for (auto& [row, count] : common) {
    const auto found = other.find(row);
    count = std::min(count, found == other.end() ? 0 : found->second);
  }
}

// The places of each row, first to last.
std::unordered_map<std::uint64_t, std::vector<std::size_t>> places_of(
    const std::vector<std::uint64_t>& rows) {
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> places;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    places[rows[i]].push_back(i);
  }
  return places;
}

void append(const ScoredSamples& from, std::size_t i, std::vector<std::uint32_t>& numbers,
            ScoredSamples& to) {
  to.labels.push_back(from.labels[i]);
  to.scores.push_back(from.scores[i]);
  to.rows.push_back(from.rows[i]);
  if (!from.squashed.empty()) {
    to.squashed.push_back(from.squashed[i]);
  }
  std::uint32_t user = from.users[i];
  if (user != ScoredSamples::kNoUser) {
    if (numbers[user] == ScoredSamples::kNoUser) {
      numbers[user] = static_cast<std::uint32_t>(to.user_names.size());
      to.user_names.push_back(from.user_names[user]);
    }
    user = numbers[user];
  }
  to.users.push_back(user);
}

}  // namespace

std::vector<std::uint64_t> common_rows(const std::vector<const ScoredSamples*>& sets) {
  if (sets.empty()) {
    return {};
  }
  Counts common = counts_of(sets.front()->rows);
  for (const ScoredSamples* set : sets) {
    keep_common(common, counts_of(set->rows));
  }
  std::vector<std::uint64_t> rows;
  for (const std::uint64_t row : sets.front()->rows) {
    if (common[row] > 0) {
      --common[row];
      rows.push_back(row);
    }
  }
  return rows;
}

ScoredSamples restricted_to(const ScoredSamples& samples, const std::vector<std::uint64_t>& rows) {
  const auto places = places_of(samples.rows);
  std::unordered_map<std::uint64_t, std::size_t> taken;
  std::vector<std::uint32_t> numbers(samples.user_names.size(), ScoredSamples::kNoUser);
  ScoredSamples result;
  for (const std::uint64_t row : rows) {
    const auto found = places.find(row);
    const std::size_t next = taken[row]++;
    RALLREC_CHECK(found != places.end() && next < found->second.size(),
                  "restricted_to: the samples lack a row");
    append(samples, found->second[next], numbers, result);
  }
  return result;
}

}  // namespace rallrec::metrics
