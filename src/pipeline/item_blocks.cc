#include "pipeline/item_blocks.h"

#include <algorithm>

#include "core/error.h"
#include "io/hdf5_file.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kTextFile = "embed/text_embeddings.h5";
constexpr const char* kGraphFile = "light_gcn/graph_embeddings.h5";
constexpr const char* kAlignedFile = "align/aligned_embeddings.h5";

// Columns [0, columns) of every row.
EmbeddingMatrix first_columns(const EmbeddingMatrix& matrix, std::int64_t columns) {
  EmbeddingMatrix part{matrix.rows, columns, {}};
  part.values.reserve(static_cast<std::size_t>(matrix.rows * columns));
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const auto first = matrix.values.begin() + row * matrix.columns;
    part.values.insert(part.values.end(), first, first + columns);
  }
  return part;
}

bool holds_titles_alone(const std::string& path) { return io::Hdf5File(path).has("title"); }

EmbeddingMatrix read_title_block(const std::string& run_dir, std::int64_t items) {
  const std::string path = run_dir + "/" + kTextFile;
  if (holds_titles_alone(path)) {
    return read_embeddings(path, "title", items);
  }
  const EmbeddingMatrix both = read_embeddings(path, "text", items);
  return first_columns(both, both.columns / 2);
}

}  // namespace

EmbeddingMatrix read_text_block(const std::string& run_dir, std::int64_t items) {
  const std::string path = run_dir + "/" + kTextFile;
  if (holds_titles_alone(path)) {
    throw_bad_data(path,
                   "holds titles alone, and descriptions are needed beside them; add describe to "
                   "'stages', or take the block title");
  }
  return read_embeddings(path, "text", items);
}

EmbeddingMatrix read_block(const std::string& name, const std::string& run_dir,
                           std::int64_t items) {
  if (name == "text") {
    return read_text_block(run_dir, items);
  }
  if (name == "title") {
    return read_title_block(run_dir, items);
  }
  if (name == "colla") {
    return read_embeddings(run_dir + "/" + kGraphFile, "item", items);
  }
  if (name == "ssl") {
    return read_embeddings(run_dir + "/" + kAlignedFile, "ssl", items);
  }
  throw_usage("retrieve.blocks: \"" + name + "\" is not text, title, colla or ssl");
}

std::vector<std::string> block_files(const config::Options& options) {
  const auto& blocks = options.retrieve.blocks;
  const auto named = [&blocks](const char* name) {
    return std::find(blocks.begin(), blocks.end(), name) != blocks.end();
  };
  std::vector<std::string> files;
  if (named("text") || named("title")) files.emplace_back(kTextFile);
  if (named("colla")) files.emplace_back(kGraphFile);
  if (named("ssl")) files.emplace_back(kAlignedFile);
  return files;
}

}  // namespace rallrec::pipeline
