#include "models/llm/vocabulary_tables.h"

#include "models/llm/dense_linear.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {

VocabularyTables::VocabularyTables(const LlmConfig& config, bool bfloat16,
                                   const TensorSource& source)
    : final_norm_(load_whole(source, "model.norm.weight", {config.hidden_size})) {
  const auto table = [&](const char* name) {
    const at::Tensor rows = load_whole(source, name, {config.vocab_size, config.hidden_size});
    return bfloat16 ? rows.to(at::kBFloat16) : rows;
  };
  embedding_ = table("model.embed_tokens.weight");
  head_ =
      std::make_unique<DenseHead>(config.tied_embeddings ? embedding_ : table("lm_head.weight"));
}

std::int64_t VocabularyTables::bytes(const LlmConfig& config, bool bfloat16) {
  const std::int64_t table = config.vocab_size * config.hidden_size * (bfloat16 ? 2 : 4);
  return table * (config.tied_embeddings ? 1 : 2) + 4 * config.hidden_size;
}

void VocabularyTables::embed(const std::vector<std::int64_t>& ids, const at::Tensor& y) const {
  ops::embedding_gather(embedding_, ids, y);
}

}  // namespace rallrec::models::llm
