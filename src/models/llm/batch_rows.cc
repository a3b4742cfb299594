#include "models/llm/batch_rows.h"

#include <algorithm>

#include "core/check.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {

PackedLayout make_layout(const PackedBatch& batch, const Queue& queue) {
  PackedLayout layout(queue);
  layout.rows.offsets = batch.offsets;
  layout.prefix = batch.first_is_prefix ? batch.offsets.at(1) : 0;
  for (std::int64_t s = 0; s < batch.sequences(); ++s) {
    const std::int64_t begin = batch.offsets[static_cast<std::size_t>(s)];
    const std::int64_t length = batch.offsets[static_cast<std::size_t>(s) + 1] - begin;
    const std::int64_t first = s == 0 ? 0 : layout.prefix;
    layout.rows.sequences.push_back({begin, length, begin, length});
    layout.longest = std::max(layout.longest, first + length);
    for (std::int64_t i = 0; i < length; ++i) {
      layout.positions.push_back(first + i);
    }
  }
  layout.rows.positions.assign(layout.positions);
  return layout;
}

BatchRows choose_rows(const PackedLayout& layout, const std::vector<std::int64_t>& chosen) {
  RALLREC_CHECK(
      std::is_sorted(chosen.begin(), chosen.end()) &&
          (chosen.empty() || (chosen.front() >= 0 && chosen.back() < layout.rows.offsets.back())),
      "PackedBatch: chosen rows are to be ascending and in the batch");
  BatchRows rows(layout.rows.queue);
  rows.all = false;
  std::vector<std::int64_t> positions;
  for (const std::int64_t token : chosen) {
    positions.push_back(layout.positions[static_cast<std::size_t>(token)]);
  }
  rows.tokens.assign(chosen);
  rows.positions.assign(positions);
  rows.offsets = {0};
  auto next = chosen.begin();
  for (const kernels::AttentionSequence& whole : layout.rows.sequences) {
    const std::int64_t first = rows.offsets.back();
    next = std::lower_bound(next, chosen.end(), whole.query_begin + whole.queries);
    rows.offsets.push_back(next - chosen.begin());
    rows.sequences.push_back({first, rows.offsets.back() - first, whole.key_begin, whole.keys,
                              rows.positions.data() + first});
  }
  return rows;
}

void copy_rows(const BatchRows& rows, const Rows& x, const Rows& y) {
  rows.all ? ops::copy_rows(rows.queue, x, y)
           : ops::copy_chosen_rows(rows.queue, rows.tokens.data(), x, y);
}

void add_to_rows(const BatchRows& rows, const Rows& y, const Rows& x) {
  RALLREC_CHECK(!rows.all, "add_to_rows: meant for chosen rows");
  ops::add_to_chosen_rows(rows.queue, rows.tokens.data(), y, x);
}

}  // namespace rallrec::models::llm
