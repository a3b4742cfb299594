#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "models/llm/causal_lm.h"
#include "pipeline/partial_texts.h"
#include "text/tokenizer.h"

namespace rallrec::pipeline {

// "a\r\n\n b " -> "a b": control characters and the blanks around them become one space, and the
// ends are trimmed. A model may write any byte, NUL included, which no reader of lines takes.
std::string on_one_line(const std::string& text);

// The same after line breaks, quotes and "</s>" have been removed, as the authors' code does
// (refcompat.empty_newlines).
std::string without_line_breaks(const std::string& text);

struct TextGenerator {
  models::llm::CausalLm& model;
  const models::llm::LoraAdapter* adapter;  // null = none
  const text::Tokenizer& tokenizer;
  const config::DescribeOptions& options;
  // Names the model in the keys of partial results.
  std::string model_name;
  // Makes a line of what the model writes.
  std::string (*to_line)(const std::string&) = on_one_line;
};

// The generator's options with the ids that end a turn or a text in the models' families.
models::llm::GenerationOptions generation_options(const TextGenerator& generator);

// Where the batch that starts at prompt `begin` ends: after batch_size prompts, or before the one
// with which keys and values would take more than memory_budget; it has one prompt at least. From
// the list alone, whatever the ranks.
std::size_t batch_end(const config::DescribeOptions& options, const models::llm::LlmConfig& config,
                      const std::vector<std::vector<std::int64_t>>& prompts, std::size_t begin);

// What the model writes after each prompt, on one line (TextGenerator::to_line).
// Complete on rank 0, empty elsewhere.
//
// The list is cut by batch_end and whole batches go to ranks in turn, so the texts do not depend on
// the number of ranks. `draws` keys the sampling of each prompt. `partial` gives and keeps finished
// batches. Collective; all ranks pass the same prompts.
std::vector<std::string> generate_texts(const TextGenerator& generator,
                                        const std::vector<std::vector<std::int64_t>>& prompts,
                                        const std::vector<std::uint64_t>& draws,
                                        PartialTexts& partial,
                                        distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
