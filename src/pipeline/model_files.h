#pragma once

#include <string>

namespace rallrec::pipeline {

// What `embed`, `describe` and `logits` are given on a person's own files.
struct ModelFiles {
  std::string model;    // Hugging Face folder
  std::string adapter;  // PEFT folder; "" = none
  std::string input;    // JSON Lines
  std::string output;
};

}  // namespace rallrec::pipeline
