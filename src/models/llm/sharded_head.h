#pragma once

#include "models/llm/sharded_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// The vocabulary-parallel head: hidden states go to all ranks, each runs its own blocks for
// everybody's rows, and statistics, logits or the gradient's partial sums come back. Bits are those
// of the head in one memory. All methods are collective; ranks may bring different numbers of rows,
// none included, and either all of them want d_hidden or none does.
class ShardedHead : public LmHead {
 public:
  explicit ShardedHead(const ShardedTable& table) : table_(table) {}

  void logits(const Rows& hidden, const Rows& logits) const override;
  void logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                 const Rows& logits) const override;
  std::vector<float> losses(const Rows& hidden, const std::vector<std::int64_t>& ids,
                            double loss_scale, const Rows& d_hidden) const override;

 private:
  const ShardedTable& table_;
};

}  // namespace rallrec::models::llm
