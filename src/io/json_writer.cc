#include "io/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "io/utf8.h"

namespace rallrec::io {
namespace {

template <typename Number>
std::string number_text(Number value) {
  std::array<char, 64> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), result.ptr);
}

void append_escaped(std::string& out, char c) {
  constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += "\\u00";
        out += kDigits[c >> 4];
        out += kDigits[c & 15];
      } else {
        out += c;
      }
  }
}

struct ContentWriter {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(const std::string& text) const { return to_json(std::string_view(text)); }
  std::string operator()(const JsonValue::Array& array) const {
    std::string text = "[";
    for (const JsonValue& item : array) {
      text += (text.size() == 1 ? "" : ", ") + to_json(item);
    }
    return text + "]";
  }
  std::string operator()(const JsonValue::Object& object) const {
    return JsonObjectWriter().add_members(object).text();
  }
  template <typename Number>
  std::string operator()(Number value) const {
    return to_json(value);
  }
};

}  // namespace

std::string to_json(std::string_view text) {
  if (find_invalid_utf8(text) != std::string_view::npos) {
    return to_json(std::string_view(repair_utf8(text)));
  }
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (const char c : text) {
    append_escaped(out, c);
  }
  return out + '"';
}

std::string to_json(double value) { return std::isfinite(value) ? number_text(value) : "null"; }
std::string to_json(float value) { return std::isfinite(value) ? number_text(value) : "null"; }
std::string to_json(std::int64_t value) { return number_text(value); }
std::string to_json(std::uint64_t value) { return number_text(value); }
std::string to_json(bool value) { return value ? "true" : "false"; }
std::string to_json(const JsonValue& value) { return std::visit(ContentWriter(), value.content()); }

JsonObjectWriter& JsonObjectWriter::add_json(std::string_view key, std::string_view json) {
  body_ += body_.empty() ? "" : ", ";
  body_ += to_json(key);
  body_ += ": ";
  body_ += json;
  return *this;
}

JsonObjectWriter& JsonObjectWriter::add_members(const JsonValue::Object& members,
                                                const std::vector<std::string>& without) {
  for (const JsonMember& member : members) {
    if (std::find(without.begin(), without.end(), member.key) == without.end()) {
      add(member.key, member.value);
    }
  }
  return *this;
}

void JsonlWriter::write_line(std::string_view json) {
  file_.write(json);
  file_.write("\n");
}

}  // namespace rallrec::io
