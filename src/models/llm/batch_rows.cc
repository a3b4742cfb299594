#include "models/llm/batch_rows.h"

#include <algorithm>

#include "core/check.h"

namespace rallrec::models::llm {

PackedLayout make_layout(const PackedBatch& batch) {
  PackedLayout layout;
  BatchRows& rows = layout.rows;
  rows.offsets = batch.offsets;
  rows.positions = at::empty({batch.tokens()}, at::kLong);
  auto* positions = rows.positions.mutable_data_ptr<std::int64_t>();
  layout.prefix = batch.first_is_prefix ? batch.offsets.at(1) : 0;
  for (std::int64_t s = 0; s < batch.sequences(); ++s) {
    const std::int64_t begin = batch.offsets[static_cast<std::size_t>(s)];
    const std::int64_t length = batch.offsets[static_cast<std::size_t>(s) + 1] - begin;
    const std::int64_t first = s == 0 ? 0 : layout.prefix;
    rows.sequences.push_back({begin, length, begin, length});
    layout.longest = std::max(layout.longest, first + length);
    for (std::int64_t i = 0; i < length; ++i) {
      positions[begin + i] = first + i;
    }
  }
  return layout;
}

BatchRows choose_rows(const PackedLayout& layout, const std::vector<std::int64_t>& chosen) {
  RALLREC_CHECK(
      std::is_sorted(chosen.begin(), chosen.end()) &&
          (chosen.empty() || (chosen.front() >= 0 && chosen.back() < layout.rows.offsets.back())),
      "PackedBatch: chosen rows are to be ascending and in the batch");
  BatchRows rows;
  rows.tokens = at::tensor(chosen, at::kLong);
  rows.positions = layout.rows.positions.index_select(0, rows.tokens);
  const auto* positions = rows.positions.const_data_ptr<std::int64_t>();
  rows.offsets = {0};
  auto next = chosen.begin();
  for (const kernels::AttentionSequence& whole : layout.rows.sequences) {
    const std::int64_t first = rows.offsets.back();
    next = std::lower_bound(next, chosen.end(), whole.query_begin + whole.queries);
    rows.offsets.push_back(next - chosen.begin());
    rows.sequences.push_back(
        {first, rows.offsets.back() - first, whole.key_begin, whole.keys, positions + first});
  }
  return rows;
}

void copy_rows(const BatchRows& rows, const at::Tensor& x, const at::Tensor& y) {
  at::Tensor target = y;
  rows.all() ? target.copy_(x) : at::index_select_out(target, x, 0, rows.tokens);
}

void add_to_rows(const BatchRows& rows, const at::Tensor& y, const at::Tensor& x) {
  at::Tensor target = x;
  rows.all() ? target.add_(y) : target.index_add_(0, rows.tokens, y);
}

}  // namespace rallrec::models::llm
