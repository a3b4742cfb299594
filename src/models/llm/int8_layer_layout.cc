#include "models/llm/int8_layer_layout.h"

#include <algorithm>

#include "kernels/int8_matmul.h"

namespace rallrec::models::llm {
namespace {

constexpr auto kPanelRows = static_cast<std::size_t>(kernels::kInt8PanelColumns);

}  // namespace

Int8LayerLayout::Int8LayerLayout(const LlmConfig& config, int ranks) {
  std::vector<std::size_t> starts;  // byte at which each panel begins
  for (const Linear linear : kLinears) {
    const LinearSize size = size_of(config, linear);
    Matrix& matrix = matrices_[static_cast<std::size_t>(linear)];
    matrix.out = size.out;
    matrix.in = size.in;
    matrix.first_panel = panels_;
    matrix.panels = (static_cast<std::size_t>(size.out) + kPanelRows - 1) / kPanelRows;
    matrix.panel_bytes = kPanelRows * static_cast<std::size_t>(kernels::int8_padded_depth(size.in));
    matrix.offset = bytes_;
    for (std::size_t panel = 0; panel < matrix.panels; ++panel) {
      starts.push_back(bytes_ + panel * matrix.panel_bytes);
    }
    panels_ += matrix.panels;
    bytes_ += matrix.panels * matrix.panel_bytes;
  }
  const auto start_of = [&](std::size_t panel) {
    return panel < starts.size() ? starts[panel] : bytes_;
  };
  for (int rank = 0; rank <= ranks; ++rank) {
    // The cut is the first panel whose middle lies behind the rank's share.
    const std::size_t share =
        bytes_ / static_cast<std::size_t>(ranks) * static_cast<std::size_t>(rank);
    std::size_t cut = cuts_.empty() ? 0 : cuts_.back();
    while (rank > 0 && cut < panels_ && (start_of(cut) + start_of(cut + 1)) / 2 < share) {
      ++cut;
    }
    cuts_.push_back(rank == ranks ? panels_ : cut);
  }
  for (std::size_t rank = 0; rank + 1 < cuts_.size(); ++rank) {
    bytes_of_ranks_.push_back(start_of(cuts_[rank + 1]) - start_of(cuts_[rank]));
    scales_of_ranks_.push_back((cuts_[rank + 1] - cuts_[rank]) * kPanelRows);
  }
}

std::size_t Int8LayerLayout::scales() const { return panels_ * kPanelRows; }

std::int64_t Int8LayerLayout::shard_bytes(int rank) const {
  const auto r = static_cast<std::size_t>(rank);
  return static_cast<std::int64_t>(bytes_of_ranks_[r] + sizeof(float) * scales_of_ranks_[r]);
}

std::int64_t Int8LayerLayout::gathered_bytes() const {
  return static_cast<std::int64_t>(bytes_ + sizeof(float) * scales());
}

}  // namespace rallrec::models::llm
