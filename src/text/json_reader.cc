#include "text/json_reader.h"

#include "core/error.h"

namespace rallrec::text {

void JsonNode::fail(const std::string& message) const {
  throw_bad_data(file_, key_.empty() ? message : key_ + ": " + message);
}

JsonNode JsonNode::child(simdjson::dom::element value, const std::string& step) const {
  const bool bare = key_.empty() || step.front() == '[';
  return {value, file_, bare ? key_ + step : key_ + "." + step};
}

std::optional<JsonNode> JsonNode::find(std::string_view name) const {
  std::optional<simdjson::dom::element> member;
  for (const simdjson::dom::key_value_pair entry : as_object()) {
    if (entry.key == name) {
      if (member) {
        fail("key \"" + std::string(name) + "\" appears twice");
      }
      member = entry.value;
    }
  }
  return member && !member->is_null() ? std::optional(child(*member, std::string(name)))
                                      : std::nullopt;
}

JsonNode JsonNode::at(std::string_view name) const {
  std::optional<JsonNode> member = find(name);
  if (!member) {
    fail("key \"" + std::string(name) + "\" is missing");
  }
  return *std::move(member);
}

simdjson::dom::array JsonNode::as_array() const {
  simdjson::dom::array array;
  if (value_.get(array) != simdjson::SUCCESS) {
    fail("must be an array");
  }
  return array;
}

simdjson::dom::object JsonNode::as_object() const {
  simdjson::dom::object object;
  if (value_.get(object) != simdjson::SUCCESS) {
    fail("must be an object");
  }
  return object;
}

std::string_view JsonNode::as_string() const {
  std::string_view string;
  if (value_.get(string) != simdjson::SUCCESS) {
    fail("must be a string");
  }
  return string;
}

bool JsonNode::as_bool() const {
  bool flag = false;
  if (value_.get(flag) != simdjson::SUCCESS) {
    fail("must be true or false");
  }
  return flag;
}

std::int64_t JsonNode::as_index(std::int64_t limit) const {
  std::int64_t number = 0;
  if (value_.get(number) != simdjson::SUCCESS || number < 0 || number >= limit) {
    fail("must be a whole number from 0 to " + std::to_string(limit - 1));
  }
  return number;
}

bool JsonNode::bool_or(std::string_view name, bool fallback) const {
  const std::optional<JsonNode> member = find(name);
  return member ? member->as_bool() : fallback;
}

}  // namespace rallrec::text
