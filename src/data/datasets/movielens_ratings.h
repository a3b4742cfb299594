#pragma once

#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// Appends the rows of a MovieLens ratings file (user, item, stars, time) to raw.interactions. Users
// and items must be in raw.users and raw.items, which came from `user_file` and `item_file`.
struct RatingsFile {
  std::string path;
  std::string separator;
  bool timed = true;
  std::string user_file;
  std::string item_file;
};

void read_movielens_ratings(const RatingsFile& file, const ReadOptions& options, RawData& raw);

}  // namespace rallrec::data
