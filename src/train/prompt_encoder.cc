#include "train/prompt_encoder.h"

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "text/prompt_record.h"

namespace rallrec::train {
namespace {

using text::ChatMessage;
using text::ChatRole;

// The conversation without the answer where the model is to give it, with one where it is to learn
// it.
std::vector<ChatMessage> messages_of(const io::JsonRecord& record, PromptEncoder::Answer answer) {
  std::vector<ChatMessage> messages = text::conversation_of(record);
  const bool answered = !messages.empty() && messages.back().role == ChatRole::kAssistant;
  if (answer == PromptEncoder::Answer::kLeftToModel) {
    messages.resize(messages.size() - (answered ? 1 : 0));
  } else if (answered ? messages.back().content.empty()
                      : answer == PromptEncoder::Answer::kRequired) {
    record.fail(record.has("messages") ? "messages" : "output",
                "an answer to train on is missing or empty");
  }
  if (std::none_of(messages.begin(), messages.end(),
                   [](const ChatMessage& m) { return m.role == ChatRole::kUser; })) {
    record.fail("messages", "the conversation has no message of the user");
  }
  return messages;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

ChatMessage& last_user(std::vector<ChatMessage>& messages) {
  return *std::find_if(messages.rbegin(), messages.rend(),
                       [](const ChatMessage& m) { return m.role == ChatRole::kUser; });
}

// Drops the oldest user turn and its answer; false where only the last user turn is left.
bool drop_oldest_turn(std::vector<ChatMessage>& messages) {
  const auto first = std::find_if(messages.begin(), messages.end(),
                                  [](const ChatMessage& m) { return m.role == ChatRole::kUser; });
  if (&*first == &last_user(messages)) {
    return false;
  }
  messages.erase(first, first + 2);
  return true;
}

}  // namespace

std::string cut_from_middle(const std::string& text, std::size_t bytes) {
  const std::size_t left = text.size() - std::min(bytes, text.size());
  std::size_t begin = left / 4;
  std::size_t end = begin + (text.size() - left);
  while (begin > 0 && is_continuation(text[begin])) {
    --begin;
  }
  while (end < text.size() && is_continuation(text[end])) {
    ++end;
  }
  return text.substr(0, begin) + text.substr(end);
}

void deviate(const EncodingDeviations& deviations, std::int64_t cutoff,
             std::optional<std::int64_t> bos, EncodedPrompt& prompt) {
  if (deviations.double_bos && bos && !prompt.ids.empty() && prompt.ids.front() == *bos) {
    prompt.ids.insert(prompt.ids.begin(), *bos);
    ++prompt.first_label;
    for (std::int64_t& place : prompt.shown) {
      ++place;
    }
  }
  const auto size = static_cast<std::int64_t>(prompt.ids.size());
  if (deviations.labels_include_newline && prompt.first_label > 1 && prompt.first_label < size) {
    prompt.shown.push_back(prompt.first_label - 1);
  }
  if (deviations.right_truncation && size > cutoff) {
    prompt.ids.resize(static_cast<std::size_t>(cutoff));
    prompt.first_label = std::min(prompt.first_label, cutoff);
    const auto kept = std::lower_bound(prompt.shown.begin(), prompt.shown.end(), cutoff);
    prompt.shown.erase(kept, prompt.shown.end());
    prompt.shortened = true;
  }
}

PromptEncoder::PromptEncoder(const text::ChatTemplate& chat, std::int64_t cutoff, Answer answer,
                             std::optional<text::ShownAnswers> shown, EncodingDeviations deviations)
    : chat_(&chat), cutoff_(cutoff), answer_(answer), shown_(shown), deviations_(deviations) {}

void PromptEncoder::check(const io::JsonRecord& record) const {
  text::check_turns(messages_of(record, answer_), record.where());
}

EncodedPrompt PromptEncoder::encode(const io::JsonRecord& record) const {
  std::vector<ChatMessage> messages = messages_of(record, answer_);
  const std::string where = record.where();
  const auto cutoff = deviations_.right_truncation ? std::numeric_limits<std::size_t>::max()
                                                   : static_cast<std::size_t>(cutoff_);
  text::LabelledIds encoded = chat_->conversation_ids(messages, where);
  const bool shortened = encoded.ids.size() > cutoff;
  while (encoded.ids.size() > cutoff && drop_oldest_turn(messages)) {
    encoded = chat_->conversation_ids(messages, where);
  }
  while (encoded.ids.size() > cutoff) {
    std::string& user = last_user(messages).content;
    if (user.empty()) {
      throw_bad_data(where, "the frame and the answer alone have " +
                                std::to_string(encoded.ids.size()) +
                                " tokens, over prompt.cutoff = " + std::to_string(cutoff_));
    }
    // In proportion to the excess, a little less so that no more is lost than must be.
    const std::size_t excess = encoded.ids.size() - cutoff;
    const std::size_t bytes = user.size() * excess / encoded.ids.size();
    user = cut_from_middle(user, std::max<std::size_t>(1, bytes));
    encoded = chat_->conversation_ids(messages, where);
  }
  const auto first_label = static_cast<std::int64_t>(encoded.first_label);
  std::vector<std::int64_t> shown;
  if (shown_) {
    shown = shown_->find(encoded.ids, first_label);
  }
  EncodedPrompt prompt{std::move(encoded.ids), first_label, std::move(shown), shortened};
  deviate(deviations_, cutoff_, chat_->begin_token(), prompt);
  return prompt;
}

}  // namespace rallrec::train
