#pragma once

#include <memory>
#include <vector>

#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What stands before and after the decoder layers: embedding table, final norm, head. On every rank
// in full; fp32, or bf16 tables with fp32 norm.
class VocabularyTables {
 public:
  VocabularyTables(const LlmConfig& config, bool bfloat16, const TensorSource& source);

  // y [ids, hidden] = rows of the embedding table, fp32.
  void embed(const std::vector<std::int64_t>& ids, const at::Tensor& y) const;
  const at::Tensor& final_norm() const { return final_norm_; }
  const LmHead& head() const { return *head_; }
  // What tables and norm of such a model take; tied embedding and head are one table.
  static std::int64_t bytes(const LlmConfig& config, bool bfloat16);

 private:
  at::Tensor embedding_;
  at::Tensor final_norm_;
  std::unique_ptr<LmHead> head_;
};

}  // namespace rallrec::models::llm
