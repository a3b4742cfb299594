#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// A kind of data set that can be read.
struct DatasetReader {
  // The value of the key data.dataset.
  std::string name;
  // Its files in a few words, for messages.
  std::string files;
  RawData (*read)(const std::string& path, const ReadOptions& options);
};

const std::vector<DatasetReader>& dataset_readers();

// Reads with the reader called `name`. Throws usage, listing the known ones, where there is none.
RawData read_dataset(const std::string& name, const std::string& path, const ReadOptions& options);

}  // namespace rallrec::data
