#pragma once

#include <string>
#include <vector>

namespace rallrec::config {

// The candidate nearest to `word` by edit distance, or "" where none is near enough to be what was
// meant (more than a third of the letters, at least 2, differ).
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// "; did you mean 'x'?" or "".
std::string did_you_mean(const std::string& word, const std::vector<std::string>& candidates);

// "a, b, c": words as messages list them.
std::string joined(const std::vector<std::string>& words);

}  // namespace rallrec::config
