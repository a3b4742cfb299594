#pragma once

#include <memory>
#include <vector>

#include "models/llm/tensor_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What stands before and after the decoder layers: embedding table, final norm, head; all of it in
// this process. Tables are bf16 where that keeps every number or `round` asks for it, else fp32.
class VocabularyTables {
 public:
  VocabularyTables(const LlmConfig& config, bool round, const TensorSource& source);

  // y [ids, hidden] = rows of the embedding table, fp32.
  void embed(const std::vector<std::int64_t>& ids, const Rows& y) const;
  const float* final_norm() const { return final_norm_.const_data_ptr<float>(); }
  const LmHead& head() const { return *head_; }
  // Of tables and norm; tied embedding and head are one table.
  std::int64_t bytes() const { return bytes_; }

 private:
  at::Tensor embedding_;
  at::Tensor final_norm_;
  std::unique_ptr<LmHead> head_;
  std::int64_t bytes_ = 0;
};

}  // namespace rallrec::models::llm
