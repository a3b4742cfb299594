#pragma once

#include <string>

#include "data/datasets/record_file.h"

namespace rallrec::data {

// The keys of a file of reviews that its records are read by.
struct ReviewKeys {
  std::string user;
  std::string item;
  std::string rating;
  std::string time;
};

struct AmazonFiles {
  RecordFile reviews;
  ReviewKeys keys;
  // Without keys where there is no such file.
  RecordFile metadata;
  std::string metadata_item;
};

// Finds the two files under `path` (amazon.h). Throws missing where there is no file, bad data that
// says what was seen and what is known where a file of the folder, or the file named, has no known
// layout, or none has reviews, and usage where two have.
AmazonFiles find_amazon_files(const std::string& path);

}  // namespace rallrec::data
