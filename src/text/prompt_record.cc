#include "text/prompt_record.h"

#include <string>
#include <utility>

namespace rallrec::text {
namespace {

ChatRole role_of(const io::JsonRecord& record, const std::string& name) {
  if (name == "system") {
    return ChatRole::kSystem;
  }
  if (name == "user") {
    return ChatRole::kUser;
  }
  if (name == "assistant") {
    return ChatRole::kAssistant;
  }
  record.fail("messages", "role \"" + name + "\" is unknown; expected system, user or assistant");
}

const std::string& member_text(const io::JsonRecord& record, const io::JsonValue& message,
                               const char* key) {
  const io::JsonValue* value = message.find(key);
  if (value == nullptr || value->string() == nullptr) {
    record.fail("messages", std::string("every message needs a text \"") + key + "\"");
  }
  return *value->string();
}

std::vector<ChatMessage> read_messages(const io::JsonRecord& record) {
  std::vector<ChatMessage> messages;
  for (const io::JsonValue& message : record.get_array("messages")) {
    const ChatRole role = role_of(record, member_text(record, message, "role"));
    messages.push_back({role, member_text(record, message, "content")});
  }
  return messages;
}

std::vector<ChatMessage> read_input(const io::JsonRecord& record) {
  std::vector<ChatMessage> messages;
  if (record.has("system") && !record.get_string("system").empty()) {
    messages.push_back({ChatRole::kSystem, record.get_string("system")});
  }
  messages.push_back({ChatRole::kUser, record.get_string("input")});
  if (record.has("output")) {
    messages.push_back({ChatRole::kAssistant, record.get_string("output")});
  }
  return messages;
}

}  // namespace

std::vector<ChatMessage> conversation_of(const io::JsonRecord& record) {
  const bool as_messages = record.has("messages");
  if (as_messages && record.has("input")) {
    record.fail("messages", "a line has either \"messages\" or \"input\", not both");
  }
  std::vector<ChatMessage> messages = as_messages ? read_messages(record) : read_input(record);
  const std::string key = as_messages ? "messages" : "input";
  for (const ChatMessage& message : messages) {
    check_text(message.content, record.where(key));
  }
  return messages;
}

}  // namespace rallrec::text
