#include "text/shown_answers.h"

#include <string>
#include <string_view>

#include "core/error.h"

namespace rallrec::text {
namespace {

std::int64_t only_token_of(const Tokenizer& tokenizer, const char* word) {
  const std::vector<std::int64_t> ids = tokenizer.encode(word);
  if (ids.size() != 1) {
    throw_usage("tune.shown_answers needs \"" + std::string(word) +
                "\" as one token, and this tokenizer has " + std::to_string(ids.size()) +
                "; set it to false");
  }
  return ids.front();
}

// Whether the text of the next token stands behind a whole entry of a list: punctuation, a line
// end, or a special token.
bool ends_an_entry(const std::string& text) {
  return text.empty() ||
         std::string_view(";,.\n\r|)]}'\"<").find(text.front()) != std::string_view::npos;
}

}  // namespace

ShownAnswers::ShownAnswers(const Tokenizer& tokenizer)
    : tokenizer_(&tokenizer),
      yes_(only_token_of(tokenizer, " Yes")),
      no_(only_token_of(tokenizer, " No")) {}

std::vector<std::int64_t> ShownAnswers::find(const std::vector<std::int64_t>& ids,
                                             std::int64_t end) const {
  std::vector<std::int64_t> found;
  for (std::int64_t i = 1; i < end; ++i) {
    if (ids[i] != yes_ && ids[i] != no_) {
      continue;
    }
    const std::string before = tokenizer_->decode({ids[i - 1]});
    const std::string after = i + 1 < end ? tokenizer_->decode({ids[i + 1]}) : "\n";
    if (!before.empty() && before.back() == ':' && ends_an_entry(after)) {
      found.push_back(i);
    }
  }
  return found;
}

}  // namespace rallrec::text
