#include "data/id_map.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"

namespace rallrec::data {
namespace {

bool is_plain_number(std::string_view name) {
  if (name.empty() || (name.size() > 1 && name[0] == '0')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

const std::string& IdMap::name(std::int32_t id) const {
  RALLREC_CHECK(id >= 0 && id < size(),
                "dense id " + std::to_string(id) + " outside [0, " + std::to_string(size()) + ")");
  return names_[static_cast<std::size_t>(id)];
}

std::int32_t IdMap::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? -1 : found->second;
}

std::int32_t IdMap::add(std::string_view name) {
  const auto found = index_.find(name);
  if (found != index_.end()) return found->second;
  const std::int32_t id = size();
  names_.emplace_back(name);
  index_.emplace(names_.back(), id);
  return id;
}

std::vector<std::int32_t> IdMap::sorted() const {
  std::vector<std::int32_t> ids(names_.size());
  std::iota(ids.begin(), ids.end(), 0);
  const bool numeric =
      std::all_of(names_.begin(), names_.end(), [](const auto& n) { return is_plain_number(n); });
  std::sort(ids.begin(), ids.end(), [&](std::int32_t left, std::int32_t right) {
    const std::string& a = names_[static_cast<std::size_t>(left)];
    const std::string& b = names_[static_cast<std::size_t>(right)];
    // Without leading zeros a longer number is a larger one, whatever its size.
    if (numeric && a.size() != b.size()) return a.size() < b.size();
    return a < b;
  });
  return ids;
}

IdMap IdMap::select(const std::vector<std::int32_t>& ids) const {
  IdMap result;
  for (const std::int32_t id : ids) result.add(name(id));
  return result;
}

}  // namespace rallrec::data
