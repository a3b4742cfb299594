#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer.h"

namespace rallrec::text {

// Finds the answers that a prompt shows: the words " Yes" and " No" after a colon and before a
// separator or the end, as in the list "Heat: Yes; Alien: No". A title such as "3: No Turning Back"
// shows none. Each is what the model is asked for at its place, so each can be learnt
// like the answer. The tokenizer must outlive it. Thread-safe.
class ShownAnswers {
 public:
  // Throws usage where the tokenizer writes one of the words in more than one token.
  explicit ShownAnswers(const Tokenizer& tokenizer);

  // Indices i, ascending, of the shown answers among the first `end` ids; i >= 1.
  std::vector<std::int64_t> find(const std::vector<std::int64_t>& ids, std::int64_t end) const;

 private:
  const Tokenizer* tokenizer_;
  std::int64_t yes_;
  std::int64_t no_;
};

}  // namespace rallrec::text
