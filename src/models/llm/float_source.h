#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rallrec::models::llm {

struct RowRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// Gives rows of the tensor of that name as fp32, row by row; throws where it is missing or is not
// of `shape`. Asked for no rows it only checks.
using FloatSource = std::function<std::vector<float>(
    const std::string& name, const std::vector<std::int64_t>& shape, RowRange rows)>;

}  // namespace rallrec::models::llm
