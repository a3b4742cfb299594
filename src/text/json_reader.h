#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rallrec::text {

// A value inside a JSON file together with where it stands, so that every complaint can name it.
class JsonNode {
 public:
  JsonNode(simdjson::dom::element value, std::string file, std::string key)
      : value_(value), file_(std::move(file)), key_(std::move(key)) {}

  // Throws kBadData: "<file>: <key>: <message>".
  [[noreturn]] void fail(const std::string& message) const;

  bool is_null() const { return value_.is_null(); }
  bool is_array() const { return value_.is_array(); }
  bool is_empty_string() const { return value_.is_string() && as_string().empty(); }
  // The member `name` of this object, or nothing where it is absent or null. Twice is an error.
  std::optional<JsonNode> find(std::string_view name) const;
  // The same, but absent or null is an error.
  JsonNode at(std::string_view name) const;

  simdjson::dom::array as_array() const;
  simdjson::dom::object as_object() const;
  std::string_view as_string() const;
  bool as_bool() const;
  // A whole number in [0, limit).
  std::int64_t as_index(std::int64_t limit) const;

  bool bool_or(std::string_view name, bool fallback) const;
  // The "type" member.
  std::string_view type() const { return at("type").as_string(); }

  JsonNode child(simdjson::dom::element value, const std::string& step) const;

 private:
  simdjson::dom::element value_;
  std::string file_;
  std::string key_;
};

}  // namespace rallrec::text
