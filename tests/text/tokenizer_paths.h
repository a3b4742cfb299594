#pragma once

#include <cstdlib>
#include <string>

namespace rallrec::text {

inline std::string source_dir() { return RALLREC_SOURCE_DIR; }

// Always there.
inline std::string tiny_tokenizer() { return source_dir() + "/tests/fixtures/tiny_tokenizer"; }

// Where files that may not enter the repository are kept, if they are.
inline std::string llama3_tokenizer() {
  const char* shared = std::getenv("RALLREC_SHARED_DIR");
  return (shared != nullptr ? std::string(shared) : source_dir() + "/../shared") +
         "/tokenizers/llama-3";
}

// The demo model, once setup has converted it.
inline std::string smollm2_tokenizer() {
  return source_dir() + "/.deps/models/SmolLM2-135M-Instruct";
}

}  // namespace rallrec::text
