#pragma once

#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_json.h"
#include "text/tokenizer.h"

namespace rallrec::text {

inline Tokenizer load_tokenizer(const nlohmann::json& document) {
  const rallrec::testing::TemporaryFolder folder;
  folder.put("tokenizer.json", document.dump());
  return Tokenizer::load(folder.path());
}

// The tiny tokenizer with `tokens` added behind its last id.
inline Tokenizer tiny_tokenizer_with(const std::vector<std::string>& tokens) {
  nlohmann::json document = tiny_tokenizer_json();
  std::size_t id = document["model"]["vocab"].size();
  for (const std::string& token : tokens) {
    document["added_tokens"].push_back({{"id", id++}, {"content", token}, {"special", true}});
  }
  return load_tokenizer(document);
}

}  // namespace rallrec::text
