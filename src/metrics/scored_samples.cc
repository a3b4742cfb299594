#include "metrics/scored_samples.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace rallrec::metrics {
namespace {

using distributed::Communicator;

// The vectors of all ranks one behind the other.
template <typename T>
std::vector<T> gather_vector(Communicator& communicator, const std::vector<T>& mine,
                             distributed::DType dtype) {
  const auto count = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> counts(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&count, counts.data(), 1, distributed::DType::kInt64);
  std::size_t total = 0;
  for (const std::int64_t part : counts) {
    total += static_cast<std::size_t>(part);
  }
  std::vector<T> all(total);
  communicator.all_gather_v(mine.data(), all.data(), {counts.begin(), counts.end()}, dtype);
  return all;
}

// Names as "length:bytes" one behind the other; names may hold any byte.
std::string pack(const std::vector<std::string>& names) {
  std::string packed;
  for (const std::string& name : names) {
    packed += std::to_string(name.size()) + ":" + name;
  }
  return packed;
}

std::vector<std::string> unpack(const std::string& packed) {
  std::vector<std::string> names;
  std::size_t at = 0;
  while (at < packed.size()) {
    const std::size_t colon = packed.find(':', at);
    const std::size_t length = std::stoull(packed.substr(at, colon - at));
    names.push_back(packed.substr(colon + 1, length));
    at = colon + 1 + length;
  }
  return names;
}

// Joins the ranks' user dictionaries: names in order of first appearance, and for every rank the
// new number of each of its names.
std::vector<std::vector<std::uint32_t>> join_names(const std::vector<std::string>& packed,
                                                   std::vector<std::string>* names) {
  std::unordered_map<std::string, std::uint32_t> number_of;
  std::vector<std::vector<std::uint32_t>> numbers;
  for (const std::string& of_rank : packed) {
    numbers.emplace_back();
    for (std::string& name : unpack(of_rank)) {
      const auto next = static_cast<std::uint32_t>(number_of.size());
      const auto [entry, is_new] = number_of.emplace(name, next);
      numbers.back().push_back(entry->second);
      if (is_new) {
        names->push_back(std::move(name));
      }
    }
  }
  return numbers;
}

std::vector<std::int32_t> renumber(const std::vector<std::uint32_t>& users,
                                   const std::vector<std::uint32_t>& numbers) {
  std::vector<std::int32_t> renumbered;
  for (const std::uint32_t user : users) {
    const std::uint32_t number = user == ScoredSamples::kNoUser ? user : numbers[user];
    renumbered.push_back(static_cast<std::int32_t>(number));
  }
  return renumbered;
}

template <typename T>
std::vector<T> head(const std::vector<T>& all, std::size_t count) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()))};
}

}  // namespace

ScoredSamples ScoredSamples::first(std::size_t count) const {
  return {head(labels, count), head(scores, count), head(squashed, count),
          head(users, count),  user_names,          head(rows, count)};
}

ScoredSamples gather_samples(Communicator& communicator, const ScoredSamples& mine) {
  using distributed::DType;
  ScoredSamples all;
  all.labels = gather_vector(communicator, mine.labels, DType::kUInt8);
  all.scores = gather_vector(communicator, mine.scores, DType::kFloat64);
  all.squashed = gather_vector(communicator, mine.squashed, DType::kFloat64);
  if (all.squashed.size() != all.scores.size()) {
    all.squashed.clear();
  }
  const std::vector<std::int64_t> rows = gather_vector(
      communicator, std::vector<std::int64_t>(mine.rows.begin(), mine.rows.end()), DType::kInt64);
  if (rows.size() == all.scores.size()) {
    all.rows.assign(rows.begin(), rows.end());
  }
  const std::vector<std::string> packed = all_gather_strings(communicator, pack(mine.user_names));
  const auto numbers = join_names(packed, &all.user_names);
  const std::vector<std::int32_t> users = gather_vector(
      communicator, renumber(mine.users, numbers[static_cast<std::size_t>(communicator.rank())]),
      DType::kInt32);
  all.users.assign(users.begin(), users.end());
  return all;
}

bool same_samples(const ScoredSamples& a, const ScoredSamples& b) {
  return a.labels == b.labels && a.users == b.users && a.user_names == b.user_names;
}

std::vector<std::uint32_t> user_groups(const ScoredSamples& samples, std::uint32_t* group_count) {
  std::vector<std::uint32_t> group_of_user(samples.user_names.size(), ScoredSamples::kNoUser);
  std::vector<std::uint32_t> groups;
  std::uint32_t next = 0;
  for (const std::uint32_t user : samples.users) {
    if (user == ScoredSamples::kNoUser) {
      groups.push_back(next++);
      continue;
    }
    if (group_of_user[user] == ScoredSamples::kNoUser) {
      group_of_user[user] = next++;
    }
    groups.push_back(group_of_user[user]);
  }
  *group_count = next;
  return groups;
}

}  // namespace rallrec::metrics
