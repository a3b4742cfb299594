#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/json_record.h"
#include "text/chat_template.h"
#include "text/shown_answers.h"

namespace rallrec::train {

struct EncodedPrompt {
  std::vector<std::int64_t> ids;
  std::int64_t first_label = 0;  // ids.size() where the answer is left to the model
  // Tokens before first_label that are trained on too, ascending: the answers that the prompt
  // shows.
  std::vector<std::int64_t> shown;
  bool shortened = false;
};

// What the authors' public code does otherwise with training prompts (section [refcompat]).
struct EncodingDeviations {
  bool double_bos = false;
  bool labels_include_newline = false;
  bool right_truncation = false;
};

// Applies them to a prompt that was not shortened: the first token comes twice where it is `bos`;
// the last token before the answer becomes a label; what is over `cutoff` is cut off at the end,
// labels too.
void deviate(const EncodingDeviations& deviations, std::int64_t cutoff,
             std::optional<std::int64_t> bos, EncodedPrompt& prompt);

// Turns records {"input", "output"} (optionally "system") or {"messages": [{"role", "content"}, …]}
// into ids. Labels are the tokens of the answer and the end of its turn; of a conversation, of its
// last message.
// The answers that the prompt shows become labels too where the encoder is given a finder for them.
//
// A prompt of more than `cutoff` tokens is shortened: first the oldest turns of a conversation go,
// then a piece of the last user text, a quarter of the way in, so that the instructions at its
// start and the question at its end stay. The answer is never touched. Deviations may say
// otherwise.
class PromptEncoder {
 public:
  // kOptional: a record without an answer has no labels.
  enum class Answer { kRequired, kOptional, kLeftToModel };

  PromptEncoder(const text::ChatTemplate& chat, std::int64_t cutoff, Answer answer,
                std::optional<text::ShownAnswers> shown = std::nullopt,
                EncodingDeviations deviations = {});

  // kBadData at the record's place unless it is a prompt, with an answer where one is required.
  void check(const io::JsonRecord& record) const;
  // kBadData where even an empty user text is over the cutoff. Thread-safe.
  EncodedPrompt encode(const io::JsonRecord& record) const;

 private:
  const text::ChatTemplate* chat_;
  std::int64_t cutoff_;
  Answer answer_;
  std::optional<text::ShownAnswers> shown_;
  EncodingDeviations deviations_;
};

// The text without about `bytes` bytes in its middle, cut between characters: a quarter of what is
// left stands before the cut.
std::string cut_from_middle(const std::string& text, std::size_t bytes);

}  // namespace rallrec::train
