#include "models/llm/vocabulary_tables.h"

#include "models/llm/head_rows.h"
#include "models/llm/whole_head.h"

namespace rallrec::models::llm {

VocabularyTables::VocabularyTables(const LlmConfig& config, bool round, const TensorSource& source)
    : final_norm_(load_whole(source, "model.norm.weight", {config.hidden_size})) {
  const auto table = [&](const char* name) {
    const at::Tensor rows = load_table_rows(source, name, config, {0, config.vocab_size});
    const at::Tensor kept = round ? rows.to(at::kBFloat16) : rows;
    bytes_ += static_cast<std::int64_t>(kept.nbytes());
    return kept;
  };
  bytes_ = static_cast<std::int64_t>(final_norm_.nbytes());
  embedding_ = table("model.embed_tokens.weight");
  head_ =
      std::make_unique<WholeHead>(config.tied_embeddings ? embedding_ : table("lm_head.weight"));
}

void VocabularyTables::embed(const std::vector<std::int64_t>& ids, const Rows& y) const {
  gather_rows_of(embedding_, ids, y);
}

}  // namespace rallrec::models::llm
