#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/json_value.h"
#include "io/row_scanner.h"

namespace rallrec::io {

// One JSON object of a file, with getters that check the kind and name the place and the key where
// it is another: "prompts.jsonl:12:34: key 'label': expected an integer, found a string".
class JsonRecord {
 public:
  // `row.text` is the object's text and `value` what it parses to (bad data unless an object).
  JsonRecord(std::string path, Row row, JsonValue value);

  // As it stood in the file.
  const std::string& text() const { return row_.text; }
  std::uint64_t line() const { return row_.place.line; }
  const JsonValue& value() const { return value_; }
  const JsonValue::Object& members() const { return *value_.object(); }

  // True where the key is there and not null.
  bool has(std::string_view key) const;

  const std::string& get_string(std::string_view key) const;
  std::int64_t get_int(std::string_view key) const;
  // Any number, integers included.
  double get_number(std::string_view key) const;
  bool get_bool(std::string_view key) const;
  const JsonValue::Array& get_array(std::string_view key) const;
  std::vector<std::string> get_strings(std::string_view key) const;
  std::vector<std::int64_t> get_ints(std::string_view key) const;
  std::vector<double> get_numbers(std::string_view key) const;

  // "path:line:column" of the record, or of the key within it.
  std::string where() const;
  std::string where(std::string_view key) const;
  // Bad data at the key.
  [[noreturn]] void fail(std::string_view key, const std::string& message) const;

 private:
  const JsonValue& require(std::string_view key) const;
  [[noreturn]] void wrong_kind(std::string_view key, const char* expected,
                               const JsonValue& found) const;

  std::string path_;
  Row row_;
  JsonValue value_;
};

}  // namespace rallrec::io
