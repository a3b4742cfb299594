#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/text/tokenizer_paths.h"

namespace rallrec::text {

inline nlohmann::json tiny_tokenizer_json() {
  std::ifstream file(tiny_tokenizer() + "/tokenizer.json");
  return nlohmann::json::parse(file);
}

// The tiny tokenizer with " Yes" and " No" as one token each, as real vocabularies have them.
inline nlohmann::json spaced_answers_json() {
  nlohmann::json document = tiny_tokenizer_json();
  nlohmann::json& model = document["model"];
  for (const std::string word : {"Yes", "No"}) {
    const std::size_t id = model["vocab"].size();
    model["vocab"]["\u0120" + word] = id;
    model["merges"].push_back("\u0120 " + word);
  }
  return document;
}

}  // namespace rallrec::text
