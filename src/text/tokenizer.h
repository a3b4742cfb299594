#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rallrec::text {

// Longest text that `encode` takes.
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;

// kBadData naming `where` unless `text` is valid UTF-8 of at most kMaxTextBytes bytes.
void check_text(std::string_view text, const std::string& where);

// Byte-level BPE as tokenizer.json of the Llama-3 and the SmolLM2 (GPT-2) family describes it.
// Added tokens ("<|eot_id|>", …) are never made from text, however it is spelled; they are had by
// name. Const methods may be called from several threads at once.
class Tokenizer {
 public:
  // Reads <folder>/tokenizer.json. Throws kMissingInput or kBadData.
  static Tokenizer load(const std::string& folder);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // Appends the ids of `text`. kBadData as check_text. A byte that the vocabulary lacks (control
  // characters in some) is left out, as Hugging Face's library does.
  void encode(std::string_view text, std::vector<std::int64_t>& ids) const;
  std::vector<std::int64_t> encode(std::string_view text) const;

  // The bytes that `ids` stand for, added tokens by their text; not always valid UTF-8, since a
  // character may be cut (see io::repair_utf8). kBadData for an id outside [0, vocab_size).
  std::string decode(const std::vector<std::int64_t>& ids) const;

  // The id of the added token written `content`.
  std::optional<std::int64_t> special_id(std::string_view content) const;
  // Whether the tokenizer's post-processor puts a token before every text, and which.
  bool adds_bos() const { return bos_id().has_value(); }
  std::optional<std::int64_t> bos_id() const;
  // Where it was read, for messages.
  const std::string& path() const;
  // Ids are [0, vocab_size), added tokens included.
  std::int64_t vocab_size() const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<const State> state);
  std::unique_ptr<const State> state_;
};

}  // namespace rallrec::text
