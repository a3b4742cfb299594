#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rallrec::data {

// The original ids of users or items ("names") and their dense ids 0, 1, 2, …. Movable, not
// copyable: the index points into the stored names.
class IdMap {
 public:
  IdMap() = default;
  IdMap(IdMap&&) = default;
  IdMap& operator=(IdMap&&) = default;
  IdMap(const IdMap&) = delete;
  IdMap& operator=(const IdMap&) = delete;

  std::int32_t size() const { return static_cast<std::int32_t>(names_.size()); }
  // Throws Error (exit code 70) where `id` is not in [0, size()).
  const std::string& name(std::int32_t id) const;
  // -1 where the name is unknown.
  std::int32_t find(std::string_view name) const;
  // The dense id of `name`, which is size() where it is new.
  std::int32_t add(std::string_view name);

  // The ids in catalogue order: by number where every name is a plain decimal number (no sign, no
  // leading zero), by bytes otherwise. sorted()[k] is the id that comes k-th.
  std::vector<std::int32_t> sorted() const;
  // A map of the names of `ids`, in that order.
  IdMap select(const std::vector<std::int32_t>& ids) const;

 private:
  // A deque never moves its elements, so views of them stay valid while it grows.
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, std::int32_t> index_;
};

}  // namespace rallrec::data
