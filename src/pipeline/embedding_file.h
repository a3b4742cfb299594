#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::pipeline {

// A matrix with one row per item of the catalogue, row-major.
struct EmbeddingMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;
};

// Reads a matrix of one of the run's embedding files. A value that is not finite, or a number of
// rows other than `rows` (-1 = any), is bad data that names the array.
EmbeddingMatrix read_embeddings(const std::string& path, const std::string& name,
                                std::int64_t rows = -1);

}  // namespace rallrec::pipeline
