#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::data {

// inverse[ids[k]] = k for the ids below `size`; those that do not occur in `ids` map to -1.
std::vector<std::int32_t> inverse_of(const std::vector<std::int32_t>& ids, std::int32_t size);

// Puts new_id[id] in the place of each id of a column.
void renumber(std::vector<std::int32_t>& column, const std::vector<std::int32_t>& new_id);

}  // namespace rallrec::data
