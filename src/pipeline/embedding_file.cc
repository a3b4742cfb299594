#include "pipeline/embedding_file.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/hdf5_file.h"

namespace rallrec::pipeline {

EmbeddingMatrix read_embeddings(const std::string& path, const std::string& name,
                                std::int64_t rows) {
  const io::Hdf5File file(path);
  EmbeddingMatrix matrix;
  matrix.values = file.read_matrix<float>(name);
  matrix.rows = file.info(name).rows();
  matrix.columns = file.info(name).columns();
  if (rows >= 0 && matrix.rows != rows) {
    throw_bad_data(path, "array '" + name + "' has " + std::to_string(matrix.rows) +
                             " rows for a catalogue of " + std::to_string(rows) +
                             " items; run its stage again");
  }
  const auto bad = std::find_if(matrix.values.begin(), matrix.values.end(),
                                [](float value) { return !std::isfinite(value); });
  if (bad != matrix.values.end()) {
    throw_bad_data(path, "array '" + name + "' has a value that is not finite in row " +
                             std::to_string((bad - matrix.values.begin()) / matrix.columns));
  }
  return matrix;
}

}  // namespace rallrec::pipeline
