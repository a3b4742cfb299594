#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/llm/linear_names.h"

namespace rallrec::models::llm {

// Where the seven int8 matrices of a decoder layer lie in one blob, and which part of it each rank
// keeps. A matrix W [out, in] is packed by kernels::pack_int8 as columns of depth `in`: panels of
// 16 output rows, one after the other, the last one filled up with zeros; the matrices follow each
// other in the order of kLinears. One fp32 scale per row, filled up likewise, lies in a second
// blob. Ranks keep consecutive whole panels with their scales, as nearly 1/n of the bytes as panels
// allow.
class Int8LayerLayout {
 public:
  struct Matrix {
    std::int64_t out = 0;
    std::int64_t in = 0;
    std::size_t first_panel = 0;  // number of its first panel in the layer
    std::size_t panels = 0;
    std::size_t panel_bytes = 0;
    std::size_t offset = 0;  // bytes from the start of the blob
  };
  struct PanelRange {
    std::size_t first = 0;
    std::size_t last = 0;  // one past
  };

  Int8LayerLayout(const LlmConfig& config, int ranks);

  const Matrix& operator[](Linear linear) const {
    return matrices_[static_cast<std::size_t>(linear)];
  }
  std::size_t bytes() const { return bytes_; }
  std::size_t scales() const;
  PanelRange panels_of(int rank) const {
    return {cuts_[static_cast<std::size_t>(rank)], cuts_[static_cast<std::size_t>(rank) + 1]};
  }
  // Bytes and scales that each rank keeps.
  const std::vector<std::size_t>& bytes_of_ranks() const { return bytes_of_ranks_; }
  const std::vector<std::size_t>& scales_of_ranks() const { return scales_of_ranks_; }
  // Panels and scales that a rank keeps of one layer, and those of a whole layer.
  std::int64_t shard_bytes(int rank) const;
  std::int64_t gathered_bytes() const;

 private:
  std::array<Matrix, kLinearCount> matrices_;
  std::size_t bytes_ = 0;
  std::size_t panels_ = 0;
  std::vector<std::size_t> cuts_;  // ranks + 1 panel numbers
  std::vector<std::size_t> bytes_of_ranks_;
  std::vector<std::size_t> scales_of_ranks_;
};

}  // namespace rallrec::models::llm
