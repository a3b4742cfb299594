#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"
#include "text/tokenizer.h"

namespace rallrec::pipeline {

// One vector per text: its final-norm hidden states pooled as options.pooling says (eq. 2).
//
// Returns fp32 [texts, hidden] on rank 0 and [0, hidden] elsewhere; a text without tokens is the
// zero vector. Texts are packed longest first by options.token_budget alone, and each rank runs a
// contiguous part of the batches, so the result does not depend on the number of ranks. Collective;
// all ranks pass the same texts.
at::Tensor embed_texts(models::llm::CausalLm& model,
                       const std::vector<std::vector<std::int64_t>>& texts,
                       const config::EmbedOptions& options,
                       distributed::Communicator& communicator);

// The ids of a bare text as the model's tokenizer makes them: a begin token only where its
// post-processor adds one. Empty text gives no ids.
std::vector<std::int64_t> bare_text_ids(const text::Tokenizer& tokenizer, const std::string& text);

}  // namespace rallrec::pipeline
