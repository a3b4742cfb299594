#include "data/datasets/profile.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace rallrec::data {
namespace {

struct AgeGroup {
  int from;
  const char* word;
};

// The boundaries are also the codes.
constexpr std::array<AgeGroup, 7> kAgeGroups = {{{1, "under 18"},
                                                 {18, "18-24"},
                                                 {25, "25-34"},
                                                 {35, "35-44"},
                                                 {45, "45-49"},
                                                 {50, "50-55"},
                                                 {56, "above 56"}}};

constexpr std::array<const char*, 21> kOccupations = {"other",
                                                      "academic or educator",
                                                      "artist",
                                                      "clerical or admin worker",
                                                      "college or graduate student",
                                                      "customer service worker",
                                                      "doctor or health care worker",
                                                      "executive or manager",
                                                      "farmer",
                                                      "homemaker",
                                                      "K-12 student",
                                                      "lawyer",
                                                      "programmer",
                                                      "retired",
                                                      "sales or marketing worker",
                                                      "scientist",
                                                      "self-employed",
                                                      "technician or engineer",
                                                      "tradesman or craftsman",
                                                      "unemployed",
                                                      "writer"};

// -1 where the text is not a number of at most three digits.
int small_number(std::string_view text) {
  int value = -1;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == end && text.size() <= 3;
  return whole && value >= 0 ? value : -1;
}

}  // namespace

std::string gender_word(std::string_view code) {
  if (code == "M") return "male";
  if (code == "F") return "female";
  return "";
}

std::string age_group(std::string_view age) {
  const int value = small_number(age);
  if (value < 0 || value >= 200) return "";
  std::string word = kAgeGroups[0].word;
  for (const AgeGroup& group : kAgeGroups) {
    if (value >= group.from) word = group.word;
  }
  return word;
}

bool is_age_code(std::string_view code) {
  const int value = small_number(code);
  return std::any_of(kAgeGroups.begin(), kAgeGroups.end(),
                     [&](const AgeGroup& group) { return group.from == value; });
}

std::string occupation_word(std::string_view code) {
  const int value = small_number(code);
  return value >= 0 && value < static_cast<int>(kOccupations.size()) ? kOccupations[value] : "";
}

std::string year_of_title(std::string_view title) {
  constexpr std::size_t kLength = 6;  // "(1994)"
  if (title.size() < kLength || title.back() != ')') return "";
  const std::string_view tail = title.substr(title.size() - kLength);
  const std::string_view digits = tail.substr(1, 4);
  const bool is_year = tail[0] == '(' && std::all_of(digits.begin(), digits.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  return is_year ? std::string(digits) : "";
}

}  // namespace rallrec::data
