#include "io/python_literal.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <unordered_set>

#include "io/utf8.h"

namespace rallrec::io {
namespace {

constexpr int kMaxDepth = 32;

// Ends the parse from any depth; never leaves this file.
struct Refusal {
  JsonParser::Problem problem;
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class LiteralParser {
 public:
  explicit LiteralParser(std::string_view text) : text_(text) {}

  JsonValue parse() {
    JsonValue value = parse_value(0);
    skip_blanks();
    if (at_ < text_.size()) refuse("expected the end of the literal");
    return value;
  }

 private:
  [[noreturn]] void refuse(const std::string& message) const { throw Refusal{{at_, message}}; }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool take(std::string_view token) {
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  // `depth` counts the lists and dicts around the value.
  JsonValue parse_value(int depth) {
    skip_blanks();
    if (take("{")) return parse_dict(depth + 1);
    if (take("[")) return parse_list("]", depth + 1);
    if (take("(")) return parse_list(")", depth + 1);
    if (take("True")) return JsonValue(true);
    if (take("False")) return JsonValue(false);
    if (take("None")) return JsonValue();
    if (at_ < text_.size() && std::string_view("+-.0123456789").find(text_[at_]) != text_.npos) {
      return parse_number();
    }
    return JsonValue(parse_text());
  }

  void require_depth(int depth) const {
    if (depth > kMaxDepth) refuse("nested deeper than " + std::to_string(kMaxDepth) + " levels");
  }

  JsonValue parse_list(std::string_view end, int depth) {
    require_depth(depth);
    JsonValue::Array array;
    for (skip_blanks(); !take(end); skip_blanks()) {
      array.push_back(parse_value(depth));
      require_comma_or(end);
    }
    return JsonValue(std::move(array));
  }

  JsonValue parse_dict(int depth) {
    require_depth(depth);
    JsonValue::Object object;
    std::unordered_set<std::string> keys;
    for (skip_blanks(); !take("}"); skip_blanks()) {
      const std::size_t key_at = at_;
      std::string key = parse_text();
      if (!keys.insert(key).second) {
        at_ = key_at;
        refuse("key " + shown(key) + " appears twice");
      }
      skip_blanks();
      if (!take(":")) refuse("expected ':' after a key");
      object.push_back({std::move(key), parse_value(depth)});
      require_comma_or("}");
    }
    return JsonValue(std::move(object));
  }

  void require_comma_or(std::string_view end) {
    skip_blanks();
    if (!take(",") && text_.substr(at_, 1) != end) {
      refuse("expected ',' or '" + std::string(end) + "'");
    }
  }

  JsonValue parse_number() {
    const std::size_t size = text_.substr(at_).find_first_not_of("+-.0123456789eE");
    std::string_view digits = text_.substr(at_, size);
    const std::size_t end = at_ + digits.size();
    if (digits[0] == '+') digits.remove_prefix(1);
    const char* const last = digits.data() + digits.size();
    std::int64_t whole = 0;
    double real = 0;
    const auto as_whole = std::from_chars(digits.data(), last, whole);
    if (as_whole.ec == std::errc() && as_whole.ptr == last) {
      at_ = end;
      return JsonValue(whole);
    }
    const bool beyond = as_whole.ec == std::errc::result_out_of_range && as_whole.ptr == last;
    const auto parsed = std::from_chars(digits.data(), last, real);
    if (beyond || parsed.ec != std::errc() || parsed.ptr != last || !std::isfinite(real)) {
      refuse("expected a number of 64 bits, found " + shown(digits));
    }
    at_ = end;
    return JsonValue(real);
  }

  std::string parse_text() {
    if (!take("u")) take("U");
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    if (quote != '\'' && quote != '"') {
      refuse(at_ < text_.size() ? "expected a literal" : "the literal ends too early");
    }
    ++at_;
    std::string result;
    while (true) {
      if (at_ >= text_.size()) refuse("a text is not closed");
      const char c = text_[at_];
      if (c == '\\') {
        parse_escape(result);
        continue;
      }
      ++at_;
      if (c == quote) return result;
      result += c;
    }
  }

  void parse_escape(std::string& result) {
    constexpr std::string_view kNames = "\\'\"nrtabfv";
    constexpr std::string_view kValues = "\\'\"\n\r\t\a\b\f\v";
    const char name = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
    if (const std::size_t known = kNames.find(name); known != kNames.npos) {
      at_ += 2;
      result += kValues[known];
    } else if (name == 'x' || name == 'u' || name == 'U') {
      append_code(2, name == 'x' ? 2 : name == 'u' ? 4 : 8, 16, result);
    } else if (name >= '0' && name <= '7') {
      const std::size_t digits = text_.substr(at_ + 1, 3).find_first_not_of("01234567");
      append_code(1, std::min<std::size_t>(digits, 3), 8, result);
    } else {
      // As in Python, a backslash before anything else is itself.
      ++at_;
      result += '\\';
    }
  }

  // The code point of `digits` digits that stand `skip` bytes behind at_.
  void append_code(std::size_t skip, std::size_t digits, int base, std::string& result) {
    const std::string_view number = text_.substr(std::min(at_ + skip, text_.size()), digits);
    std::uint32_t code = 0;
    const char* const last = number.data() + number.size();
    const auto parsed = std::from_chars(number.data(), last, code, base);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (number.size() < digits || parsed.ec != std::errc() || parsed.ptr != last || code == 0 ||
        surrogate || code > 0x10FFFF) {
      refuse("an escape that stands for no character");
    }
    at_ += skip + digits;
    append_code_point(code, result);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool parse_python_literal(std::string_view text, JsonValue* value, JsonParser::Problem* problem) {
  try {
    *value = LiteralParser(text).parse();
    return true;
  } catch (const Refusal& refusal) {
    *problem = refusal.problem;
    return false;
  }
}

}  // namespace rallrec::io
