#include "data/datasets/country.h"

#include <algorithm>
#include <utility>

#include "data/datasets/source_file.h"
#include "data/filters.h"

namespace rallrec::data {
namespace {

constexpr std::pair<std::string_view, std::string_view> kSpellings[] = {
    {"america", "USA"},
    {"brasil", "Brazil"},
    {"cananda", "Canada"},
    {"catalonia", "Spain"},
    {"catalunya", "Spain"},
    {"deutschland", "Germany"},
    {"england", "United Kingdom"},
    {"espa\xC3\xB1"
     "a",
     "Spain"},
    {"euskal herria", "Spain"},
    {"great britain", "United Kingdom"},
    {"holland", "Netherlands"},
    {"italia", "Italy"},
    {"l`italia", "Italy"},
    {"la france", "France"},
    {"m\xC3\xA9xico", "Mexico"},
    {"northern ireland", "United Kingdom"},
    {"nz", "New Zealand"},
    {"per\xC3\xBA", "Peru"},
    {"phillipines", "Philippines"},
    {"republic of panama", "Panama"},
    {"schweiz", "Switzerland"},
    {"scotland", "United Kingdom"},
    {"the netherlands", "Netherlands"},
    {"u a e", "United Arab Emirates"},
    {"u k", "United Kingdom"},
    {"u s", "USA"},
    {"u s a", "USA"},
    {"u s of a", "USA"},
    {"uae", "United Arab Emirates"},
    {"uk", "United Kingdom"},
    {"united state", "USA"},
    {"united states", "USA"},
    {"united states of america", "USA"},
    {"us", "USA"},
    {"usa", "USA"},
    {"wales", "United Kingdom"}};

constexpr std::string_view kStandIns[] = {"n/a",     "na",       "none", "null",
                                          "unknown", "universe", "quit"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// The last part in small ASCII letters, without quotes, dots and the like around its words.
std::string plain_words(std::string_view location) {
  const std::size_t comma = location.rfind(',');
  std::string words;
  for (const char c : location.substr(comma == location.npos ? 0 : comma + 1)) {
    const bool separates = c == ' ' || c == '.' || c == '"' || c == '!' || c == '\\' || c == '>';
    if (!separates) {
      words += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return std::string(trim_end(words));
}

std::string capitalised(std::string words) {
  bool starts = true;
  for (char& c : words) {
    if (starts && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    starts = !is_letter(c);
  }
  return words;
}

}  // namespace

std::string country_of(std::string_view location) {
  const std::string words = plain_words(location);
  for (const auto& [theirs, ours] : kSpellings) {
    if (words == theirs) return std::string(ours);
  }
  const bool stands_in =
      std::find(std::begin(kStandIns), std::end(kStandIns), words) != std::end(kStandIns) ||
      words.substr(0, 3) == "n/a";
  const bool readable = words.size() > 1 && std::all_of(words.begin(), words.end(), [](char c) {
                          return is_letter(c) || c == ' ' || c == '-' || c == '`' || c == '\'';
                        });
  return stands_in || !readable ? kUnknown : capitalised(words);
}

}  // namespace rallrec::data
