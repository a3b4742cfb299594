#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/merge_table.h"
#include "text/word_splitter.h"

namespace rallrec::text {

// What a byte-level BPE tokenizer.json says, checked: ids are 0 … n-1 without gaps or repeats,
// merges name known tokens, nothing is asked for that the encoder does not do.
struct TokenizerFile {
  struct AddedToken {
    std::int32_t id;
    std::string content;
    bool special;
  };

  // As given to read_tokenizer_file.
  std::string path;
  SplitRule split_rule = SplitRule::kGpt2;
  // A word that is a token as it stands is not merged (Llama-3).
  bool ignore_merges = false;
  // The bytes of each token; for added tokens their text.
  std::vector<std::string> token_bytes;
  // True where the token is an added one, which text never encodes to.
  std::vector<bool> added;
  std::vector<AddedToken> added_tokens;
  MergeTable merges{0};
  // The token that the post-processor puts before every text.
  std::optional<std::int32_t> bos_id;
};

// Largest accepted file, number of tokens, number of merges and bytes of one token's text.
constexpr std::size_t kMaxTokenizerFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxTokens = std::size_t{1} << 20;
constexpr std::size_t kMaxMerges = std::size_t{1} << 22;
constexpr std::size_t kMaxTokenBytes = 1024;

// Reads the tokenizer.json at `path`. Throws kMissingInput, or kBadData with the path, the key and
// what was expected there.
TokenizerFile read_tokenizer_file(const std::string& path);

}  // namespace rallrec::text
