#include "text/word_splitter.h"

#include <pcre2.h>

#include <string>

#include "core/check.h"
#include "text/newer_unicode.h"

namespace rallrec::text {
namespace {

// As the tokenizer.json files of the Llama-3 family spell it.
constexpr std::string_view kLlama3Pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// White_Space of Unicode, spelled out because PCRE2's own \s also takes U+180E.
const std::string kSpaces =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
    "\\x{205f}\\x{3000}";

const std::string kLetters = std::string("\\p{L}") + kNewerLetters;
const std::string kNumbers = std::string("\\p{N}") + kNewerNumbers;

std::string one_of(const std::string& members) { return "[" + members + "]"; }
std::string none_of(const std::string& members) { return "[^" + members + "]"; }

std::string llama3_regex() {
  return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|" + none_of("\\r\\n" + kLetters + kNumbers) + "?" +
         one_of(kLetters) + "+|" + one_of(kNumbers) + "{1,3}| ?" +
         none_of(kSpaces + kLetters + kNumbers) + "+[\\r\\n]*|" + one_of(kSpaces) + "*[\\r\\n]+|" +
         one_of(kSpaces) + "+(?!" + none_of(kSpaces) + ")|" + one_of(kSpaces) + "+";
}

// `number` matches one word of digits; `border` the characters, besides spaces, before which a run
// of spaces stays whole.
std::string gpt2_regex(const std::string& numbers, const std::string& number,
                       const std::string& border) {
  return "'s|'t|'re|'ve|'m|'ll|'d| ?" + one_of(kLetters) + "+|" + number + "| ?" +
         none_of(kSpaces + kLetters + numbers) + "+|" + one_of(kSpaces) + "+(?!" +
         none_of(kSpaces + border) + ")|" + one_of(kSpaces) + "+";
}

std::string gpt2_digits_regex() {
  // Digits cuts the text around every digit before the regex sees it, so no word joins a digit to a
  // space and a run of spaces before a digit ends its piece.
  const std::string numbers = kNumbers + kNumbersOfUnicode17;
  return gpt2_regex(numbers, one_of(numbers), numbers);
}

std::string regex_of(SplitRule rule) {
  switch (rule) {
    case SplitRule::kLlama3:
      return llama3_regex();
    case SplitRule::kGpt2:
      return gpt2_regex(kNumbers, " ?" + one_of(kNumbers) + "+", "");
    case SplitRule::kGpt2Digits:
      return gpt2_digits_regex();
  }
  throw Error("unknown split rule");
}

struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

pcre2_match_data* thread_match_data() {
  thread_local const std::unique_ptr<pcre2_match_data, MatchDataDeleter> data(
      pcre2_match_data_create(1, nullptr));
  return data.get();
}

}  // namespace

struct WordSplitter::Pattern {
  pcre2_code* code = nullptr;
  ~Pattern() { pcre2_code_free(code); }
};

std::optional<SplitRule> split_rule_of_pattern(std::string_view pattern) {
  if (pattern == kLlama3Pattern) {
    return SplitRule::kLlama3;
  }
  return std::nullopt;
}

WordSplitter::WordSplitter(SplitRule rule) : pattern_(std::make_unique<Pattern>()) {
  const std::string regex = regex_of(rule);
  int error = 0;
  PCRE2_SIZE error_offset = 0;
  pattern_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.data()), regex.size(),
                                 PCRE2_UTF | PCRE2_UCP, &error, &error_offset, nullptr);
  RALLREC_CHECK(pattern_->code != nullptr, "PCRE2 refuses a split regex");
  // Where PCRE2 was built without JIT its interpreter gives the same matches.
  pcre2_jit_compile(pattern_->code, PCRE2_JIT_COMPLETE);
}

WordSplitter::~WordSplitter() = default;
WordSplitter::WordSplitter(WordSplitter&&) noexcept = default;
WordSplitter& WordSplitter::operator=(WordSplitter&&) noexcept = default;

void WordSplitter::split(std::string_view text, std::vector<std::size_t>& ends) const {
  ends.clear();
  pcre2_match_data* data = thread_match_data();
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::size_t position = 0;
  while (position < text.size()) {
    const int result = pcre2_match(pattern_->code, subject, text.size(), position,
                                   PCRE2_NO_UTF_CHECK, data, nullptr);
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data);
    // Every character is taken by some alternative, so the next word starts where the last one
    // ended.
    if (result < 0 || range[0] != position || range[1] <= position) {
      throw_bad_data("text", "cannot be split into words at byte " + std::to_string(position) +
                                 " (PCRE2 says " + std::to_string(result) + ")");
    }
    position = range[1];
    ends.push_back(position);
  }
}

}  // namespace rallrec::text
