#pragma once

#include <string>

namespace rallrec::models::llm {

// Where quantised layers are kept for the next start (int8_layer_cache.h).
struct Int8CacheOptions {
  std::string folder;  // of all models' caches; empty = none
  bool write = false;  // whether this process writes what is missing
};

}  // namespace rallrec::models::llm
