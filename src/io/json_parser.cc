#include "io/json_parser.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "core/check.h"
#include "core/error.h"
#include "io/row_scanner.h"
#include "io/utf8.h"

namespace rallrec::io {
namespace {

constexpr std::size_t kMaxDepth = 64;
// Of a broken text, in messages.
constexpr std::size_t kShownBytes = 24;
// Objects with more members than this are checked for repeated keys through a hash set.
constexpr std::size_t kSmallObject = 16;

using Problem = JsonParser::Problem;

bool has_repeated_key(const JsonValue::Object& object, std::string* key) {
  if (object.size() <= kSmallObject) {
    for (std::size_t i = 0; i < object.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (object[i].key == object[j].key) {
          *key = object[i].key;
          return true;
        }
      }
    }
    return false;
  }
  std::unordered_set<std::string_view> seen;
  for (const JsonMember& member : object) {
    if (!seen.insert(member.key).second) {
      *key = member.key;
      return true;
    }
  }
  return false;
}

// Copies simdjson's tape into our tree. simdjson bounds the depth, so recursion is bounded too. A
// repeated key ends the copy and is left in `repeated`.
class TreeBuilder {
 public:
  explicit TreeBuilder(std::optional<std::string>* repeated) : repeated_(repeated) {}

  JsonValue build(simdjson::dom::element element) {
    using Type = simdjson::dom::element_type;
    switch (element.type()) {
      case Type::ARRAY:
        return build_array(element);
      case Type::OBJECT:
        return build_object(element);
      case Type::STRING:
        return JsonValue(std::string(element.get_string().value_unsafe()));
      case Type::INT64:
        return JsonValue(std::int64_t{element.get_int64().value_unsafe()});
      case Type::UINT64:
        return JsonValue(std::uint64_t{element.get_uint64().value_unsafe()});
      case Type::DOUBLE:
        return JsonValue(element.get_double().value_unsafe());
      case Type::BOOL:
        return JsonValue(element.get_bool().value_unsafe());
      case Type::NULL_VALUE:
        break;
    }
    return JsonValue();
  }

 private:
  JsonValue build_array(simdjson::dom::element element) {
    JsonValue::Array array;
    const simdjson::dom::array items = element;
    for (const simdjson::dom::element item : items) {
      array.push_back(build(item));
    }
    return JsonValue(std::move(array));
  }

  JsonValue build_object(simdjson::dom::element element) {
    JsonValue::Object object;
    const simdjson::dom::object fields = element;
    for (const auto field : fields) {
      object.push_back({std::string(field.key), build(field.value)});
    }
    std::string key;
    if (has_repeated_key(object, &key)) {
      *repeated_ = key;
    }
    return JsonValue(std::move(object));
  }

  std::optional<std::string>* repeated_;
};

// The code unit of the escape at `at`: of "\\u" and four digits, else of no interest ('x').
unsigned escaped_code_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at + 1] != 'u') {
    return 'x';
  }
  unsigned value = 0;
  const char* const end = text.data() + at + 6;
  return std::from_chars(text.data() + at + 2, end, value, 16).ptr == end ? value : 'x';
}

// JSON's grammar allows the escapes that are looked for here; what they stand for is not text.
bool find_bad_escape(std::string_view text, Problem* problem) {
  constexpr char kLone[] = "a lone surrogate (\\ud800 to \\udfff) is no character";
  bool high_before = false;
  std::size_t high_at = 0;
  for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
    const unsigned code = escaped_code_unit(text, at);
    const bool low = code >= 0xDC00 && code <= 0xDFFF;
    const bool paired = high_before && high_at + 6 == at;
    if (low != paired || (high_before && !paired)) {
      *problem = {high_before ? high_at : at, kLone};
      return true;
    }
    if (code == 0) {
      *problem = {at, "NUL (\\u0000) is not allowed in text"};
      return true;
    }
    high_before = code >= 0xD800 && code <= 0xDBFF;
    high_at = at;
    at += 2;
  }
  if (high_before) {
    *problem = {high_at, kLone};
  }
  return high_before;
}

bool is_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      i += c == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) {
        return true;
      }
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

// Finds where a text breaks JSON's grammar. simdjson says only that it does; this slow second
// parser runs on broken texts alone.
class PositionFinder : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::size_t at = 0;
  std::string message;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception&) override {
    at = position == 0 ? 0 : position - 1;
    const std::size_t skipped = token.size() > kShownBytes ? token.size() - kShownBytes : 0;
    message = "not valid JSON near " + shown(token.substr(skipped));
    return false;
  }
};

Problem explain(simdjson::error_code code, std::string_view text) {
  if (const std::size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return {bad, "not valid UTF-8"};
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return {nul, "a NUL byte is not allowed in text"};
  }
  if (Problem problem; find_bad_escape(text, &problem)) {
    return problem;
  }
  if (is_too_deep(text)) {
    return {0, "nested deeper than " + std::to_string(kMaxDepth) + " levels"};
  }
  PositionFinder finder;
  if (nlohmann::json::sax_parse(text.begin(), text.end(), &finder)) {
    return {0, std::string("not valid JSON: ") + simdjson::error_message(code)};
  }
  if (finder.at >= text.size()) {
    return {text.size(), "the JSON text ends too early"};
  }
  return {finder.at, finder.message};
}

}  // namespace

struct JsonParser::State {
  simdjson::dom::parser parser;
};

JsonParser::JsonParser() : state_(std::make_unique<State>()) {}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

bool JsonParser::parse(std::string_view text, JsonValue* value, Problem* problem) {
  simdjson::dom::parser& parser = state_->parser;
  if (parser.capacity() < text.size() && parser.allocate(std::max(text.size(), std::size_t{4096}),
                                                         kMaxDepth + 1) != simdjson::SUCCESS) {
    throw Error("no memory for a JSON text of " + std::to_string(text.size()) + " bytes");
  }
  const simdjson::padded_string padded(text);
  simdjson::dom::element root;
  if (const auto code = parser.parse(padded).get(root); code != simdjson::SUCCESS) {
    *problem = explain(code, text);
    return false;
  }
  if (find_bad_escape(text, problem)) {
    return false;
  }
  std::optional<std::string> repeated;
  *value = TreeBuilder(&repeated).build(root);
  if (repeated.has_value()) {
    const std::size_t at = text.rfind("\"" + *repeated + "\"");
    *problem = {at == std::string_view::npos ? 0 : at,
                "key " + shown(*repeated) + " appears twice"};
    return false;
  }
  return true;
}

bool JsonValue::number(double* value) const {
  if (const auto* as_double = std::get_if<double>(&content_)) {
    *value = *as_double;
  } else if (const auto* as_signed = std::get_if<std::int64_t>(&content_)) {
    *value = static_cast<double>(*as_signed);
  } else if (const auto* as_unsigned = std::get_if<std::uint64_t>(&content_)) {
    *value = static_cast<double>(*as_unsigned);
  } else {
    return false;
  }
  return true;
}

const JsonValue* JsonValue::find(std::string_view key) const {
  if (const Object* members = object()) {
    for (const JsonMember& member : *members) {
      if (member.key == key) {
        return &member.value;
      }
    }
  }
  return nullptr;
}

const char* JsonValue::kind() const {
  static constexpr const char* kKinds[] = {
      "null",     "true or false", "an integer", "an integer above 2^63 - 1",
      "a number", "a string",      "an array",   "an object"};
  return kKinds[content_.index()];
}

JsonValue parse_json(const std::string& where, std::string_view text) {
  JsonParser parser;
  JsonValue value;
  Problem problem;
  if (!parser.parse(text, &value, &problem)) {
    Row row;
    row.text = std::string(text);
    throw_bad_data(io::where(where, row, problem.at), problem.message);
  }
  return value;
}

void for_each_own_line(const std::string& lines,
                       const std::function<void(std::string line, JsonValue value)>& visit) {
  JsonParser parser;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = lines.find('\n', begin);
    std::string line = lines.substr(begin, end - begin);
    JsonValue value;
    JsonParser::Problem problem;
    RALLREC_CHECK(parser.parse(line, &value, &problem), "a line of our own: " + problem.message);
    visit(std::move(line), std::move(value));
    begin = end + 1;
  }
}

}  // namespace rallrec::io
