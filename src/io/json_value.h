#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rallrec::io {

struct JsonMember;

// A JSON value held as a tree. Integers that fit into 64 bits stay exact; members keep their order,
// and no object has two of the same name.
class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;
  using Content = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double,
                               std::string, Array, Object>;

  JsonValue() = default;  // null
  explicit JsonValue(Content content) : content_(std::move(content)) {}

  const Content& content() const { return content_; }
  bool is_null() const { return std::holds_alternative<std::monostate>(content_); }
  // Null where the value is of another kind.
  const std::string* string() const { return std::get_if<std::string>(&content_); }
  const Array* array() const { return std::get_if<Array>(&content_); }
  const Object* object() const { return std::get_if<Object>(&content_); }
  const bool* boolean() const { return std::get_if<bool>(&content_); }
  // Null unless an integer between -2^63 and 2^63 - 1 (1.0 is not an integer).
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&content_); }
  // Sets `value` from any number; false for other kinds.
  bool number(double* value) const;

  // The member's value; null where there is none or this is not an object.
  const JsonValue* find(std::string_view key) const;
  // "a string", "null", … for messages.
  const char* kind() const;

 private:
  Content content_;
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

// Parses one JSON text, strictly: RFC 8259, valid UTF-8, no NUL and no lone surrogate in any
// string, no object with a repeated key, nesting at most 64, numbers within 64 bits or a finite
// double. Errors are bad data at `where` + ":line:column" within the text, counted from 1.
JsonValue parse_json(const std::string& where, std::string_view text);

}  // namespace rallrec::io
