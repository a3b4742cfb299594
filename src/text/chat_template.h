#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace rallrec::text {

// How a conversation is framed for the model.
//   kLlama3  <|start_header_id|>role<|end_header_id|> blank line, text, <|eot_id|>; begin token
//   first kChatml  <|im_start|>role, newline, text, <|im_end|>, newline kPlain   texts, each with a
//   newline behind it, then the answer
enum class ChatFormat { kLlama3, kChatml, kPlain };

struct ChatOptions {
  // auto (by the tokenizer's special tokens), llama3, chatml or plain.
  std::string format = "auto";
  // Llama-3.1's two lines with the knowledge and today's date in the system block, with the fixed
  // date its published template has. Only where the tokenizer is of Llama-3.1.
  bool date_header = true;
  // The token that ends a turn stands behind an answer.
  bool end_of_turn = true;
};

enum class ChatRole { kSystem, kUser, kAssistant };

struct ChatMessage {
  ChatRole role = ChatRole::kUser;
  std::string content;
};

// A conversation as ids. ids[first_label, size) are the answer and the end of its turn: what the
// model is trained on.
struct LabelledIds {
  std::vector<std::int64_t> ids;
  std::size_t first_label = 0;
};

// Throws bad data at `where` unless an optional system message is followed by user and assistant in
// turn, the user first.
void check_turns(const std::vector<ChatMessage>& messages, const std::string& where);

// Turns conversations into ids. Special tokens come from the frame alone; texts are encoded as
// text, so "<|eot_id|>" in a title stays six harmless words. The tokenizer must outlive it.
// Thread-safe.
class ChatTemplate {
 public:
  // Throws usage where the format is unknown or the tokenizer lacks its tokens.
  ChatTemplate(const Tokenizer& tokenizer, const ChatOptions& options);

  ChatFormat format() const { return format_; }
  // The token that every conversation begins with, where there is one.
  std::optional<std::int64_t> begin_token() const;

  // Everything before the answer. An empty `system` has no block of its own.
  std::vector<std::int64_t> prompt_ids(std::string_view system, std::string_view user) const;
  // The answer with the token that ends its turn (none in kPlain where the tokenizer has none).
  std::vector<std::int64_t> answer_ids(std::string_view answer) const;
  LabelledIds training_ids(std::string_view system, std::string_view user,
                           std::string_view answer) const;

  // A longer conversation: an optional system message, then user and assistant in turn. The labels
  // are those of the last message where the assistant has it; else the answer is left for the model
  // and first_label = ids.size(). Messages out of turn are bad data at `where`.
  LabelledIds conversation_ids(const std::vector<ChatMessage>& messages,
                               const std::string& where) const;

 private:
  void append_special(const char* content, std::vector<std::int64_t>& ids) const;
  void append_turn(std::string_view role, std::string_view content,
                   std::vector<std::int64_t>& ids) const;
  void append_start(std::string_view system, std::vector<std::int64_t>& ids) const;
  void append_generation_prompt(std::vector<std::int64_t>& ids) const;
  void append_answer(std::string_view answer, std::vector<std::int64_t>& ids) const;

  const Tokenizer* tokenizer_;
  ChatFormat format_;
  bool date_header_ = false;
  std::optional<std::int64_t> end_of_turn_;
};

// The ids whose logits make the score: those of "Yes" and of "No".
struct LabelWords {
  std::int64_t yes = 0;
  std::int64_t no = 0;
};

// Throws bad data, naming the tokens, where a word is not one token of its own.
LabelWords label_words(const Tokenizer& tokenizer);

}  // namespace rallrec::text
