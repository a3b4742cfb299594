#include "data/renumber.h"

#include <cstddef>

namespace rallrec::data {

std::vector<std::int32_t> inverse_of(const std::vector<std::int32_t>& ids, std::int32_t size) {
  std::vector<std::int32_t> inverse(static_cast<std::size_t>(size), -1);
  for (std::size_t k = 0; k < ids.size(); ++k) inverse[ids[k]] = static_cast<std::int32_t>(k);
  return inverse;
}

void renumber(std::vector<std::int32_t>& column, const std::vector<std::int32_t>& new_id) {
  for (std::int32_t& id : column) id = new_id[static_cast<std::size_t>(id)];
}

}  // namespace rallrec::data
