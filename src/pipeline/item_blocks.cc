#include "pipeline/item_blocks.h"

#include <algorithm>

#include "core/error.h"
#include "io/hdf5_file.h"
#include "pipeline/refcompat_retrieval.h"
#include "retrieval/principal_components.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kTextFile = "embed/text_embeddings.h5";
constexpr const char* kGraphFile = "light_gcn/graph_embeddings.h5";
constexpr const char* kAlignedFile = "align/aligned_embeddings.h5";

// Columns [begin, begin + columns) of every row.
EmbeddingMatrix columns_of(const EmbeddingMatrix& matrix, std::int64_t begin,
                           std::int64_t columns) {
  EmbeddingMatrix part{matrix.rows, columns, {}};
  part.values.reserve(static_cast<std::size_t>(matrix.rows * columns));
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const auto first = matrix.values.begin() + row * matrix.columns + begin;
    part.values.insert(part.values.end(), first, first + columns);
  }
  return part;
}

bool holds_titles_alone(const std::string& path) { return io::Hdf5File(path).has("title"); }

EmbeddingMatrix read_title_block(const std::string& path, std::int64_t items) {
  if (holds_titles_alone(path)) {
    return read_embeddings(path, "title", items);
  }
  const EmbeddingMatrix both = read_embeddings(path, "text", items);
  return columns_of(both, 0, both.columns / 2);
}

// Rank 0 computes, so that all have the same bits.
EmbeddingMatrix reduced(const EmbeddingMatrix& text, std::int64_t components,
                        distributed::Communicator& communicator) {
  EmbeddingMatrix result{
      text.rows, retrieval::component_count(text.rows, text.columns, components), {}};
  if (communicator.rank() == 0) {
    result.values =
        retrieval::principal_components(text.values.data(), text.rows, text.columns, components);
  }
  result.values.resize(static_cast<std::size_t>(result.rows * result.columns));
  communicator.broadcast(result.values.data(), result.values.size(), distributed::DType::kFloat32,
                         0);
  return result;
}

}  // namespace

EmbeddingMatrix read_text_block(const StageContext& context, std::int64_t items) {
  const config::RefcompatOptions& refcompat = context.options.refcompat;
  const std::string path = context.run_dir + "/" + kTextFile;
  if (holds_titles_alone(path)) {
    throw_bad_data(path,
                   "holds titles alone, and descriptions are needed beside them; add describe to "
                   "'stages', or take the block title");
  }
  EmbeddingMatrix text = read_embeddings(path, "text", items);
  if (refcompat.description_only) {
    text = columns_of(text, text.columns / 2, text.columns / 2);
  }
  return refcompat.pca_text > 0 ? reduced(text, refcompat.pca_text, context.communicator) : text;
}

EmbeddingMatrix read_block(const std::string& name, const StageContext& context,
                           std::int64_t items) {
  const std::string folder = context.run_dir + "/";
  if (name == "text") {
    return read_text_block(context, items);
  }
  if (name == "title") {
    return read_title_block(folder + kTextFile, items);
  }
  if (name == "colla") {
    return read_embeddings(folder + kGraphFile, "item", items);
  }
  if (name == "ssl") {
    return read_embeddings(folder + kAlignedFile, "ssl", items);
  }
  throw_usage("retrieve.blocks: \"" + name + "\" is not text, title, colla or ssl");
}

std::vector<std::string> block_files(const config::Options& options) {
  const auto& blocks = options.retrieve.blocks;
  const auto named = [&blocks](const char* name) {
    return std::find(blocks.begin(), blocks.end(), name) != blocks.end();
  };
  std::vector<std::string> files;
  if (named("text") || named("title") || trains_on_text(options)) files.emplace_back(kTextFile);
  if (named("colla")) files.emplace_back(kGraphFile);
  if (named("ssl")) files.emplace_back(kAlignedFile);
  return files;
}

}  // namespace rallrec::pipeline
