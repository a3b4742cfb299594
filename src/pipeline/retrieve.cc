#include "pipeline/retrieve.h"

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "data/dataset_file.h"
#include "pipeline/embedding_file.h"
#include "pipeline/prompt_samples.h"
#include "retrieval/embedding_mixture.h"
#include "retrieval/neighbours_file.h"
#include "retrieval/retriever.h"

namespace rallrec::pipeline {
namespace {

EmbeddingMatrix read_block(const std::string& name, const std::string& run_dir,
                           std::int64_t items) {
  if (name == "text") {
    return read_embeddings(run_dir + "/embed/text_embeddings.h5", "text", items);
  }
  if (name == "colla") {
    return read_embeddings(run_dir + "/light_gcn/graph_embeddings.h5", "item", items);
  }
  if (name == "ssl") {
    return read_embeddings(run_dir + "/align/aligned_embeddings.h5", "ssl", items);
  }
  throw_usage("retrieve.blocks: \"" + name + "\" is not text, colla or ssl");
}

EmbeddingMatrix item_vectors(const StageContext& context, std::int64_t items) {
  std::vector<EmbeddingMatrix> matrices;
  std::vector<retrieval::EmbeddingBlock> blocks;
  for (const std::string& name : context.options.retrieve.blocks) {
    matrices.push_back(read_block(name, context.run_dir, items));
  }
  EmbeddingMatrix mixed;
  for (const EmbeddingMatrix& matrix : matrices) {
    blocks.push_back({matrix.values.data(), matrix.columns});
    mixed.columns += matrix.columns;
  }
  mixed.rows = items;
  mixed.values = retrieval::mix_embeddings(blocks, items);
  return mixed;
}

}  // namespace

void run_retrieve(StageContext& context) {
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  const EmbeddingMatrix vectors = item_vectors(context, dataset.items.size());
  retrieval::RetrievalTask task;
  task.dataset = &dataset;
  task.samples = prompt_samples(dataset.samples, context.options.prompt).all();
  task.vectors = vectors.values.data();
  task.width = vectors.columns;
  task.k = context.options.prompt.k;
  task.exclude_target = context.options.data.deduplicate;
  const retrieval::Neighbours neighbours =
      retrieval::retrieve_neighbours(task, context.communicator);
  if (context.communicator.rank() == 0) {
    retrieval::save_neighbours(context.run_dir + "/retrieve/neighbours.h5", neighbours);
  }
  spdlog::info("retrieve: {} samples, {} neighbours, item vectors of width {}",
               neighbours.samples.size(), neighbours.places.size(), vectors.columns);
  context.report.add("samples", static_cast<std::int64_t>(neighbours.samples.size()));
  context.report.add("neighbours", static_cast<std::int64_t>(neighbours.places.size()));
  context.communicator.barrier();
}

}  // namespace rallrec::pipeline
