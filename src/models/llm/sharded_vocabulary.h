#pragma once

#include <memory>
#include <vector>

#include "models/llm/sharded_head.h"
#include "models/llm/sharded_table.h"

namespace rallrec::models::llm {

// VocabularyTables of which every rank keeps its vocabulary blocks; the norm is on every rank.
// Construction, `embed` and the head are collective.
class ShardedVocabulary {
 public:
  ShardedVocabulary(const LlmConfig& config, const TensorSource& source,
                    distributed::Communicator& communicator)
      : final_norm_(load_whole(source, "model.norm.weight", {config.hidden_size})),
        embedding_(config, source, "model.embed_tokens.weight", communicator),
        own_head_(config.tied_embeddings ? nullptr
                                         : std::make_unique<ShardedTable>(
                                               config, source, "lm_head.weight", communicator)),
        head_(own_head_ ? *own_head_ : embedding_) {}

  // y [ids, hidden] = rows of the embedding table, fp32.
  void embed(const std::vector<std::int64_t>& ids, const Rows& y) const {
    embedding_.gather(ids, y);
  }
  const float* final_norm() const { return final_norm_.const_data_ptr<float>(); }
  const LmHead& head() const { return head_; }
  // Of the rows that this rank keeps, and the norm.
  std::int64_t bytes() const {
    return embedding_.bytes() + (own_head_ ? own_head_->bytes() : 0) +
           static_cast<std::int64_t>(final_norm_.nbytes());
  }

 private:
  at::Tensor final_norm_;
  ShardedTable embedding_;
  std::unique_ptr<ShardedTable> own_head_;  // where the head is not the embedding table
  ShardedHead head_;
};

}  // namespace rallrec::models::llm
