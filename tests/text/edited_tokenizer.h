#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/text/tokenizer_paths.h"
#include "text/tokenizer.h"

namespace rallrec::text {

inline nlohmann::json tiny_tokenizer_json() {
  std::ifstream file(tiny_tokenizer() + "/tokenizer.json");
  return nlohmann::json::parse(file);
}

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

// The tiny tokenizer with " Yes" and " No" as one token each, as real vocabularies have them.
inline Tokenizer tiny_tokenizer_with_spaced_answers() {
  nlohmann::json document = tiny_tokenizer_json();
  nlohmann::json& model = document["model"];
  for (const std::string word : {"Yes", "No"}) {
    const std::size_t id = model["vocab"].size();
    model["vocab"]["\u0120" + word] = id;
    model["merges"].push_back("\u0120 " + word);
  }
  return load_tokenizer(document);
}

}  // namespace rallrec::text
