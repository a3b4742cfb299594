#include "models/llm/waves.h"

namespace rallrec::models::llm {

std::vector<std::size_t> cut_waves(const std::vector<std::int64_t>& tokens,
                                   std::int64_t bytes_per_token, std::int64_t budget) {
  std::vector<std::size_t> cuts = {0};
  std::int64_t bytes = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::int64_t own = tokens[i] * bytes_per_token;
    if (i > cuts.back() && bytes + own > budget) {
      cuts.push_back(i);
      bytes = 0;
    }
    bytes += own;
  }
  if (!tokens.empty()) {
    cuts.push_back(tokens.size());
  }
  return cuts;
}

}  // namespace rallrec::models::llm
