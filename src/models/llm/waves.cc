#include "models/llm/waves.h"

namespace rallrec::models::llm {

std::vector<std::size_t> cut_waves(const std::vector<std::int64_t>& bytes, std::int64_t budget) {
  std::vector<std::size_t> cuts = {0};
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > cuts.back() && kept + bytes[i] > budget) {
      cuts.push_back(i);
      kept = 0;
    }
    kept += bytes[i];
  }
  if (!bytes.empty()) {
    cuts.push_back(bytes.size());
  }
  return cuts;
}

}  // namespace rallrec::models::llm
