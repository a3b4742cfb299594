#include "text/chat_template.h"

#include <array>
#include <sstream>

#include "core/check.h"

namespace rallrec::text {
namespace {

// The head of the system block in Llama-3.1's published template, with its default date.
constexpr std::string_view kDateHeader =
    "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n";
// Only Llama-3.1 and later have it.
constexpr const char* kLlama31Token = "<|python_tag|>";

constexpr std::array<const char*, 4> kLlama3Tokens = {"<|begin_of_text|>", "<|start_header_id|>",
                                                      "<|end_header_id|>", "<|eot_id|>"};
constexpr std::array<const char*, 2> kChatmlTokens = {"<|im_start|>", "<|im_end|>"};

template <std::size_t n>
const char* first_missing(const Tokenizer& tokenizer, const std::array<const char*, n>& tokens) {
  for (const char* token : tokens) {
    if (!tokenizer.special_id(token)) {
      return token;
    }
  }
  return nullptr;
}

const char* missing_token(const Tokenizer& tokenizer, ChatFormat format) {
  switch (format) {
    case ChatFormat::kLlama3:
      return first_missing(tokenizer, kLlama3Tokens);
    case ChatFormat::kChatml:
      return first_missing(tokenizer, kChatmlTokens);
    case ChatFormat::kPlain:
      return nullptr;
  }
  throw Error("unknown chat format");
}

ChatFormat detect(const Tokenizer& tokenizer) {
  for (const ChatFormat format : {ChatFormat::kLlama3, ChatFormat::kChatml}) {
    if (missing_token(tokenizer, format) == nullptr) {
      return format;
    }
  }
  return ChatFormat::kPlain;
}

ChatFormat format_of(const Tokenizer& tokenizer, const std::string& name) {
  if (name == "auto") {
    return detect(tokenizer);
  }
  constexpr std::array<std::pair<const char*, ChatFormat>, 3> kNames = {
      {{"llama3", ChatFormat::kLlama3},
       {"chatml", ChatFormat::kChatml},
       {"plain", ChatFormat::kPlain}}};
  for (const auto& [known, format] : kNames) {
    if (name != known) {
      continue;
    }
    if (const char* missing = missing_token(tokenizer, format)) {
      throw_usage("prompt.chat_format is \"" + name + "\" but the tokenizer has no token " +
                  missing + "; use auto");
    }
    return format;
  }
  throw_usage("prompt.chat_format is \"" + name + "\"; expected auto, llama3, chatml or plain");
}

std::optional<std::int64_t> end_of_turn(const Tokenizer& tokenizer, ChatFormat format) {
  if (format != ChatFormat::kPlain) {
    return tokenizer.special_id(format == ChatFormat::kLlama3 ? "<|eot_id|>" : "<|im_end|>");
  }
  const auto end = tokenizer.special_id("<|end_of_text|>");
  return end ? end : tokenizer.special_id("<|endoftext|>");
}

// What Llama-3's template does to every message.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

std::string joined(std::string_view a, std::string_view b, std::string_view c = {}) {
  std::string text(a);
  return text.append(b).append(c);
}

constexpr std::array<std::string_view, 3> kRoleNames = {"system", "user", "assistant"};

// Place of the first message that is not the system's.
std::size_t first_turn(const std::vector<ChatMessage>& messages) {
  return !messages.empty() && messages[0].role == ChatRole::kSystem ? 1 : 0;
}

ChatRole role_in_turn(std::size_t turn) {
  return turn % 2 == 0 ? ChatRole::kUser : ChatRole::kAssistant;
}

// Ids as text for a message: 2 tokens, "Y" (37) "es" (290).
std::string described(const Tokenizer& tokenizer, const std::vector<std::int64_t>& ids) {
  std::ostringstream text;
  text << ids.size() << (ids.size() == 1 ? " token" : " tokens");
  const char* before = ", ";
  for (const std::int64_t id : ids) {
    text << before << '"' << tokenizer.decode({id}) << "\" (" << id << ')';
    before = " ";
  }
  return text.str();
}

}  // namespace

ChatTemplate::ChatTemplate(const Tokenizer& tokenizer, const ChatOptions& options)
    : tokenizer_(&tokenizer), format_(format_of(tokenizer, options.format)) {
  date_header_ = options.date_header && format_ == ChatFormat::kLlama3 &&
                 tokenizer.special_id(kLlama31Token).has_value();
  if (options.end_of_turn) {
    end_of_turn_ = end_of_turn(tokenizer, format_);
  }
}

void ChatTemplate::append_special(const char* content, std::vector<std::int64_t>& ids) const {
  ids.push_back(tokenizer_->special_id(content).value());
}

void ChatTemplate::append_turn(std::string_view role, std::string_view content,
                               std::vector<std::int64_t>& ids) const {
  if (format_ == ChatFormat::kLlama3) {
    append_special("<|start_header_id|>", ids);
    tokenizer_->encode(role, ids);
    append_special("<|end_header_id|>", ids);
    tokenizer_->encode(joined("\n\n", trimmed(content)), ids);
    append_special("<|eot_id|>", ids);
  } else if (format_ == ChatFormat::kChatml) {
    append_special("<|im_start|>", ids);
    tokenizer_->encode(joined(role, "\n", content), ids);
    append_special("<|im_end|>", ids);
    tokenizer_->encode("\n", ids);
  } else {
    tokenizer_->encode(joined(content, "\n"), ids);
  }
}

std::optional<std::int64_t> ChatTemplate::begin_token() const {
  if (format_ == ChatFormat::kLlama3) {
    return tokenizer_->special_id("<|begin_of_text|>");
  }
  return tokenizer_->adds_bos() ? tokenizer_->bos_id() : std::nullopt;
}

void ChatTemplate::append_start(std::string_view system, std::vector<std::int64_t>& ids) const {
  if (const auto begin = begin_token()) {
    ids.push_back(*begin);
  }
  if (date_header_) {
    append_turn("system", joined(kDateHeader, trimmed(system)), ids);
  } else if (!system.empty()) {
    append_turn("system", system, ids);
  }
}

void ChatTemplate::append_generation_prompt(std::vector<std::int64_t>& ids) const {
  if (format_ == ChatFormat::kLlama3) {
    append_special("<|start_header_id|>", ids);
    tokenizer_->encode("assistant", ids);
    append_special("<|end_header_id|>", ids);
    tokenizer_->encode("\n\n", ids);
  } else if (format_ == ChatFormat::kChatml) {
    append_special("<|im_start|>", ids);
    tokenizer_->encode("assistant\n", ids);
  }
}

void ChatTemplate::append_answer(std::string_view answer, std::vector<std::int64_t>& ids) const {
  tokenizer_->encode(format_ == ChatFormat::kLlama3 ? trimmed(answer) : answer, ids);
  if (end_of_turn_) {
    ids.push_back(*end_of_turn_);
  }
}

std::vector<std::int64_t> ChatTemplate::prompt_ids(std::string_view system,
                                                   std::string_view user) const {
  std::vector<std::int64_t> ids;
  append_start(system, ids);
  append_turn("user", user, ids);
  append_generation_prompt(ids);
  return ids;
}

std::vector<std::int64_t> ChatTemplate::answer_ids(std::string_view answer) const {
  std::vector<std::int64_t> ids;
  append_answer(answer, ids);
  return ids;
}

LabelledIds ChatTemplate::training_ids(std::string_view system, std::string_view user,
                                       std::string_view answer) const {
  LabelledIds result;
  result.ids = prompt_ids(system, user);
  result.first_label = result.ids.size();
  append_answer(answer, result.ids);
  return result;
}

void check_turns(const std::vector<ChatMessage>& messages, const std::string& where) {
  const std::size_t first = first_turn(messages);
  if (messages.size() <= first) {
    throw_bad_data(where, "messages must hold a message of the user");
  }
  for (std::size_t i = first; i < messages.size(); ++i) {
    if (messages[i].role != role_in_turn(i - first)) {
      throw_bad_data(where, "messages[" + std::to_string(i) +
                                "] is out of turn: after an optional system message come user and "
                                "assistant alternately");
    }
  }
}

LabelledIds ChatTemplate::conversation_ids(const std::vector<ChatMessage>& messages,
                                           const std::string& where) const {
  check_turns(messages, where);
  const std::size_t first = first_turn(messages);
  LabelledIds result;
  append_start(first == 1 ? messages[0].content : "", result.ids);
  for (std::size_t i = first; i < messages.size(); ++i) {
    const ChatRole role = messages[i].role;
    const bool is_answer = role == ChatRole::kAssistant && i + 1 == messages.size();
    if (!is_answer) {
      append_turn(kRoleNames[static_cast<std::size_t>(role)], messages[i].content, result.ids);
    }
  }
  append_generation_prompt(result.ids);
  result.first_label = result.ids.size();
  if (messages.back().role == ChatRole::kAssistant) {
    append_answer(messages.back().content, result.ids);
  }
  return result;
}

LabelWords label_words(const Tokenizer& tokenizer) {
  const std::vector<std::int64_t> yes = tokenizer.encode("Yes");
  const std::vector<std::int64_t> no = tokenizer.encode("No");
  if (yes.size() != 1 || no.size() != 1 || yes == no) {
    throw_bad_data(
        tokenizer.path(),
        "a score compares the logits of two tokens, \"Yes\" and \"No\"; here \"Yes\" is " +
            described(tokenizer, yes) + " and \"No\" is " + described(tokenizer, no) +
            "; take a model whose tokenizer has each as a token of its own");
  }
  return {yes.front(), no.front()};
}

}  // namespace rallrec::text
