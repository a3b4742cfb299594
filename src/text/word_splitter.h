#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace rallrec::text {

// How a tokenizer cuts text into the words that BPE works on. Only these are known: a regex found
// in a file is compared with their text and never compiled.
enum class SplitRule {
  kLlama3,      // Split by Llama-3's regex
  kGpt2,        // ByteLevel with its own regex
  kGpt2Digits,  // Digits(individual_digits), then ByteLevel with its own regex: SmolLM2
};

// The rule whose regex is written `pattern` in tokenizer.json's Split pre-tokenizer, if known.
std::optional<SplitRule> split_rule_of_pattern(std::string_view pattern);

// Cuts text by a rule. Thread-safe.
class WordSplitter {
 public:
  explicit WordSplitter(SplitRule rule);
  ~WordSplitter();
  WordSplitter(WordSplitter&&) noexcept;
  WordSplitter& operator=(WordSplitter&&) noexcept;

  // Replaces `ends` by the end offsets of the words, which cover `text` without gaps. `text` must
  // be valid UTF-8.
  void split(std::string_view text, std::vector<std::size_t>& ends) const;

 private:
  struct Pattern;
  std::unique_ptr<Pattern> pattern_;
};

}  // namespace rallrec::text
