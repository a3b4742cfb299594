#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "io/atomic_file.h"
#include "io/json_value.h"

namespace rallrec::io {

// JSON text of single values. Strings are escaped, and bytes that are not UTF-8 become U+FFFD.
// Numbers are the shortest text that reads back to the same bits; NaN and infinities, which JSON
// lacks, are null.
std::string to_json(std::string_view text);
std::string to_json(double value);
std::string to_json(float value);
std::string to_json(std::int64_t value);
std::string to_json(std::uint64_t value);
std::string to_json(bool value);
std::string to_json(const JsonValue& value);

// Builds one JSON object on one line, members in the order of the calls. A key must not be given
// twice.
class JsonObjectWriter {
 public:
  JsonObjectWriter& add(std::string_view key, std::string_view value) {
    return add_json(key, to_json(value));
  }
  JsonObjectWriter& add(std::string_view key, const char* value) {
    return add_json(key, to_json(std::string_view(value)));
  }
  JsonObjectWriter& add(std::string_view key, const std::string& value) {
    return add_json(key, to_json(std::string_view(value)));
  }
  JsonObjectWriter& add(std::string_view key, const JsonValue& value) {
    return add_json(key, to_json(value));
  }
  // bool, any integer, float, double.
  template <typename Number, typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  JsonObjectWriter& add(std::string_view key, Number value) {
    return add_json(key, scalar(value));
  }
  template <typename Item>
  JsonObjectWriter& add(std::string_view key, const std::vector<Item>& items) {
    std::string text = "[";
    for (std::size_t i = 0; i < items.size(); ++i) {
      text += (i == 0 ? "" : ", ") + scalar(static_cast<const Item&>(items[i]));
    }
    return add_json(key, text + "]");
  }
  // `json` is JSON already.
  JsonObjectWriter& add_json(std::string_view key, std::string_view json);
  // Every member of an object but those named in `without`.
  JsonObjectWriter& add_members(const JsonValue::Object& members,
                                const std::vector<std::string>& without = {});

  // "{…}", without a newline.
  std::string text() const { return body_.empty() ? "{}" : "{" + body_ + "}"; }

 private:
  template <typename Item>
  static std::string scalar(const Item& item) {
    if constexpr (std::is_same_v<Item, bool> || std::is_floating_point_v<Item> ||
                  std::is_same_v<Item, JsonValue>) {
      return to_json(item);
    } else if constexpr (std::is_integral_v<Item> && std::is_signed_v<Item>) {
      return to_json(static_cast<std::int64_t>(item));
    } else if constexpr (std::is_integral_v<Item>) {
      return to_json(static_cast<std::uint64_t>(item));
    } else {
      return to_json(std::string_view(item));
    }
  }

  std::string body_;
};

// JSON Lines written atomically: nothing is there until commit().
class JsonlWriter {
 public:
  explicit JsonlWriter(std::string path) : file_(std::move(path)) {}

  void write(const JsonObjectWriter& object) { write_line(object.text()); }
  // One JSON text without a newline in it.
  void write_line(std::string_view json);
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
};

}  // namespace rallrec::io
