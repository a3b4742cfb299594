#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/rows.h"
#include "kernels/vocabulary_head.h"
#include "models/llm/llm_config.h"
#include "models/llm/tensor_source.h"

namespace rallrec::models::llm {

// Rows of a table [vocab, hidden] of the model: bf16 where that keeps every number, else fp32. Read
// a few rows at a time.
at::Tensor load_table_rows(const TensorSource& source, const std::string& name,
                           const LlmConfig& config, RowRange rows);

// y [ids, hidden] = rows `ids` of a table, fp32 or bf16, widened.
void gather_rows_of(const at::Tensor& table, const std::vector<std::int64_t>& ids, const Rows& y);

// The blocks [first_block, last_block) of a head whose rows these are.
kernels::HeadPart head_part(const at::Tensor& rows, std::int64_t vocabulary,
                            std::int64_t first_block, std::int64_t last_block);

// logits [rows of hidden, rows of the part]; a row's bits depend on its own content alone.
void part_logits(const kernels::HeadPart& part, const Rows& hidden, const Rows& logits);

}  // namespace rallrec::models::llm
