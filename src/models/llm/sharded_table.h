#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/rows.h"
#include "distributed/communicator.h"
#include "kernels/vocabulary_head.h"
#include "models/llm/llm_config.h"
#include "models/llm/tensor_source.h"

namespace rallrec::models::llm {

// Each rank's rows as elements: counts · factor.
std::vector<std::size_t> times(std::vector<std::size_t> counts, std::size_t factor);

// A table [vocab, hidden] of which every rank keeps whole vocabulary blocks (kernels/
// vocabulary_head.h), as nearly 1/n as they allow: bf16 where that keeps every number on all ranks,
// else fp32. Rows travel, the table never does.
//
// Construction and `gather` are collective; `communicator` must outlive the table.
class ShardedTable {
 public:
  ShardedTable(const LlmConfig& config, const TensorSource& source, const std::string& name,
               distributed::Communicator& communicator);

  // y [ids, hidden] = rows `ids`, fp32. Ranks ask for rows of their own, or for none; a row that
  // a rank asks for twice travels once.
  void gather(const std::vector<std::int64_t>& ids, const Rows& y) const;

  // This rank's part as that of a head.
  kernels::HeadPart part() const;
  // Blocks of `rank`: [first_block(rank), first_block(rank + 1)).
  std::int64_t first_block(int rank) const;
  std::int64_t first_row(int rank) const;
  std::int64_t vocabulary() const { return vocabulary_; }
  std::int64_t hidden() const { return rows_.size(1); }
  distributed::Communicator& communicator() const { return communicator_; }
  std::int64_t bytes() const { return rows_.numel() * rows_.element_size(); }

 private:
  std::vector<std::size_t> count_by_owner(const std::vector<std::int64_t>& sorted_ids) const;

  std::int64_t vocabulary_;
  distributed::Communicator& communicator_;
  at::Tensor rows_;
};

}  // namespace rallrec::models::llm
