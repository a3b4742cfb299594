#include "config/field.h"

#include <algorithm>
#include <charconv>

namespace rallrec::config {
namespace {

std::vector<Field> all_fields() {
  std::vector<Field> list;
  list.push_back(
      {"", "mode",
       "paper: as published; clean: paper without its leaks; refcompat: paper with the deviations "
       "of the authors' code. Sets defaults",
       Options().mode, one_of({"paper", "clean", "refcompat"}),
       [](const Options& options) -> Value { return options.mode; },
       [](Options& options, const Value& value) { options.mode = std::get<std::string>(value); }});
  list.push_back(
      {"", "stages", "stages of `rallrec run`; baseline is the one of baseline.model",
       Options().stages, stage_names(),
       [](const Options& options) -> Value { return options.stages; },
       [](Options& options, const Value& value) { options.stages = std::get<Strings>(value); }});
  add_data_fields(list);
  add_embedding_fields(list);
  add_recommender_fields(list);
  add_refcompat_fields(list);
  return list;
}

std::string quoted(const std::string& text) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string real_text(double value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string text(buffer, end);
  // TOML tells floats from integers by a point or an exponent; nan and inf have an n.
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> list = all_fields();
  return list;
}

const Field* find_field(const std::string& name) {
  const auto& list = fields();
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Field& field) { return field.name() == name; });
  return found == list.end() ? nullptr : &*found;
}

const Strings& sections() {
  static const Strings names = [] {
    Strings result;
    for (const Field& field : fields()) {
      if (!field.section.empty() && (result.empty() || result.back() != field.section)) {
        result.push_back(field.section);
      }
    }
    return result;
  }();
  return names;
}

std::string type_in_words(const Field& field) {
  static const char* const kWords[] = {"true or false", "an integer", "a number", "text in quotes",
                                       "a list of texts such as [\"a\", \"b\"]"};
  return kWords[field.fallback.index()];
}

std::string to_toml(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return std::to_string(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return real_text(*real);
  }
  if (const auto* text = std::get_if<std::string>(&value)) {
    return quoted(*text);
  }
  std::string list;
  for (const std::string& item : std::get<Strings>(value)) {
    list += (list.empty() ? "" : ", ") + quoted(item);
  }
  return "[" + list + "]";
}

}  // namespace rallrec::config
