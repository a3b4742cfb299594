#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/field_table.h"

namespace rallrec::data {

struct AtomicColumn {
  std::string name;
  FieldKind kind = FieldKind::kToken;
};

// The first line of an atomic file. Throws bad data at path:1:column for an empty header, a column
// without kind, an unknown kind or a repeated name.
class AtomicHeader {
 public:
  explicit AtomicHeader(const std::string& file);

  const std::vector<AtomicColumn>& columns() const { return columns_; }
  std::size_t size() const { return columns_.size(); }
  // -1 where there is no such column.
  int find(std::string_view name) const;
  // Bad data at path:1 where there is no such column.
  std::size_t require(std::string_view name) const;

 private:
  std::string file_;
  std::vector<AtomicColumn> columns_;
};

}  // namespace rallrec::data
