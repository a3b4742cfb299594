// Deviation of the authors' public code (refcompat.generated_state) in what embeds a text.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "pipeline/text_generator.h"

namespace rallrec::pipeline {

// A text with what the model has read of its own continuation: all of it where it came to an end,
// all but its last token where it was broken off after `longest`. Empty where it has read nothing
// of its own.
std::vector<std::int64_t> text_as_read(std::vector<std::int64_t> text,
                                       const std::vector<std::int64_t>& continuation,
                                       std::int64_t longest);

// One vector per text, as embed_texts returns them: the final-norm state of the last token of
// text_as_read, or the mean over the text's own tokens where that is empty. Continuations are
// sampled with the generator's options, at most its max_new_tokens. Collective.
at::Tensor embed_generated_states(const TextGenerator& generator,
                                  const std::vector<std::vector<std::int64_t>>& texts,
                                  const config::EmbedOptions& options,
                                  distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
