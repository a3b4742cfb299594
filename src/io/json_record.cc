#include "io/json_record.h"

#include "core/error.h"

namespace rallrec::io {

JsonRecord::JsonRecord(std::string path, Row row, JsonValue value)
    : path_(std::move(path)), row_(std::move(row)), value_(std::move(value)) {
  if (value_.object() == nullptr) {
    throw_bad_data(where(), std::string("expected a JSON object {…}, found ") + value_.kind());
  }
}

bool JsonRecord::has(std::string_view key) const {
  const JsonValue* const value = value_.find(key);
  return value != nullptr && !value->is_null();
}

const JsonValue& JsonRecord::require(std::string_view key) const {
  const JsonValue* const value = value_.find(key);
  if (value == nullptr) {
    throw_bad_data(where(), "key '" + std::string(key) + "' is missing");
  }
  return *value;
}

void JsonRecord::wrong_kind(std::string_view key, const char* expected,
                            const JsonValue& found) const {
  fail(key, std::string("expected ") + expected + ", found " + found.kind());
}

const std::string& JsonRecord::get_string(std::string_view key) const {
  const JsonValue& value = require(key);
  if (value.string() == nullptr) {
    wrong_kind(key, "a string", value);
  }
  return *value.string();
}

std::int64_t JsonRecord::get_int(std::string_view key) const {
  const JsonValue& value = require(key);
  if (value.integer() == nullptr) {
    wrong_kind(key, "an integer of 64 bits", value);
  }
  return *value.integer();
}

double JsonRecord::get_number(std::string_view key) const {
  const JsonValue& value = require(key);
  double number = 0;
  if (!value.number(&number)) {
    wrong_kind(key, "a number", value);
  }
  return number;
}

bool JsonRecord::get_bool(std::string_view key) const {
  const JsonValue& value = require(key);
  if (value.boolean() == nullptr) {
    wrong_kind(key, "true or false", value);
  }
  return *value.boolean();
}

const JsonValue::Array& JsonRecord::get_array(std::string_view key) const {
  const JsonValue& value = require(key);
  if (value.array() == nullptr) {
    wrong_kind(key, "an array", value);
  }
  return *value.array();
}

std::vector<std::string> JsonRecord::get_strings(std::string_view key) const {
  std::vector<std::string> strings;
  for (const JsonValue& item : get_array(key)) {
    if (item.string() == nullptr) {
      wrong_kind(key, "strings in the array", item);
    }
    strings.push_back(*item.string());
  }
  return strings;
}

std::vector<std::int64_t> JsonRecord::get_ints(std::string_view key) const {
  std::vector<std::int64_t> integers;
  for (const JsonValue& item : get_array(key)) {
    if (item.integer() == nullptr) {
      wrong_kind(key, "integers of 64 bits in the array", item);
    }
    integers.push_back(*item.integer());
  }
  return integers;
}

std::vector<double> JsonRecord::get_numbers(std::string_view key) const {
  std::vector<double> numbers;
  for (const JsonValue& item : get_array(key)) {
    double number = 0;
    if (!item.number(&number)) {
      wrong_kind(key, "numbers in the array", item);
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::string JsonRecord::where() const { return io::where(path_, row_.place); }

std::string JsonRecord::where(std::string_view key) const {
  const std::size_t at = row_.text.find("\"" + std::string(key) + "\"");
  return io::where(path_, row_, at == std::string::npos ? 0 : at);
}

void JsonRecord::fail(std::string_view key, const std::string& message) const {
  throw_bad_data(where(key), "key '" + std::string(key) + "': " + message);
}

}  // namespace rallrec::io
