#include "text/list_format.h"

#include <cstdint>

#include "core/error.h"
#include "io/json_writer.h"
#include "text/unprintable.h"
#include "text/utf8.h"

namespace rallrec::text {
namespace {

void append_hex(std::uint32_t value, int digits, std::string& text) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text.push_back("0123456789abcdef"[(value >> shift) & 0xfU]);
  }
}

void append_escape(std::uint32_t code_point, std::string& text) {
  text.push_back('\\');
  switch (code_point) {
    case '\t':
      text.push_back('t');
      return;
    case '\n':
      text.push_back('n');
      return;
    case '\r':
      text.push_back('r');
      return;
    default:
      break;
  }
  const int digits = code_point < 0x100 ? 2 : code_point < 0x10000 ? 4 : 8;
  text.push_back(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
  append_hex(code_point, digits, text);
}

template <typename Write>
std::string joined(const std::vector<std::string>& elements, const char* separator,
                   const Write& write) {
  std::string text;
  for (const std::string& element : elements) {
    text += (&element == elements.data() ? "" : separator) + write(element);
  }
  return text;
}

}  // namespace

ListFormat list_format_from(const std::string& name) {
  if (name == "python") {
    return ListFormat::kPython;
  }
  if (name == "json") {
    return ListFormat::kJson;
  }
  if (name == "plain") {
    return ListFormat::kPlain;
  }
  throw_usage("prompt.list_format is \"" + name + "\"; expected python, json or plain");
}

std::string python_repr(std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos;
  const char quote = single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string repr(1, quote);
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const std::uint32_t code_point = next_code_point(text, position);
    const std::string_view character = text.substr(begin, position - begin);
    if (is_unprintable(character)) {
      append_escape(code_point, repr);
      continue;
    }
    if (character[0] == quote || character[0] == '\\') {
      repr.push_back('\\');
    }
    repr.append(character);
  }
  repr.push_back(quote);
  return repr;
}

std::string format_list(const std::vector<std::string>& elements, ListFormat format) {
  switch (format) {
    case ListFormat::kPython:
      return "[" + joined(elements, ", ", [](const auto& e) { return python_repr(e); }) + "]";
    case ListFormat::kJson:
      return "[" +
             joined(elements, ", ",
                    [](const auto& e) { return io::to_json(std::string_view(e)); }) +
             "]";
    case ListFormat::kPlain:
      return joined(elements, "; ", [](const auto& e) { return e; });
  }
  throw Error("unknown list format");
}

}  // namespace rallrec::text
