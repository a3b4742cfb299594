#include "pipeline/retrieve.h"

#include <spdlog/spdlog.h>

#include "data/dataset_file.h"
#include "pipeline/item_blocks.h"
#include "pipeline/prompt_samples.h"
#include "retrieval/embedding_mixture.h"
#include "retrieval/hybrid.h"
#include "retrieval/neighbours_file.h"
#include "retrieval/retriever.h"

namespace rallrec::pipeline {

EmbeddingMatrix item_vectors(const std::vector<std::string>& names, const StageContext& context,
                             std::int64_t items) {
  std::vector<EmbeddingMatrix> matrices;
  std::vector<retrieval::EmbeddingBlock> blocks;
  for (const std::string& name : names) {
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

namespace {

retrieval::ItemVectors view(const EmbeddingMatrix& matrix) {
  return {matrix.values.data(), matrix.columns};
}

// The neighbours by the mixture of all blocks.
retrieval::Neighbours by_mixture(retrieval::RetrievalTask task, const StageContext& context) {
  const EmbeddingMatrix vectors =
      item_vectors(context.options.retrieve.blocks, context, task.dataset->items.size());
  task.vectors = view(vectors);
  return retrieval::retrieve_neighbours(task, context.communicator);
}

// The neighbours by two blocks that share the list.
retrieval::Neighbours by_two_blocks(retrieval::RetrievalTask task, const StageContext& context) {
  const config::RetrieveOptions& options = context.options.retrieve;
  const std::int64_t items = task.dataset->items.size();
  const EmbeddingMatrix first = item_vectors({options.blocks.at(0)}, context, items);
  const EmbeddingMatrix second = item_vectors({options.blocks.at(1)}, context, items);
  task.vectors = view(first);
  if (options.hybrid == "scores") {
    task.other_vectors = view(second);
    return retrieval::retrieve_neighbours(task, context.communicator);
  }
  const retrieval::Neighbours by_first = retrieval::retrieve_neighbours(task, context.communicator);
  task.vectors = view(second);
  return retrieval::join_halves(by_first,
                                retrieval::retrieve_neighbours(task, context.communicator), task.k);
}

}  // namespace

retrieval::Neighbours find_neighbours(const data::Dataset& dataset,
                                      std::vector<std::int32_t> samples,
                                      const StageContext& context) {
  retrieval::RetrievalTask task;
  task.dataset = &dataset;
  task.samples = std::move(samples);
  task.k = context.options.prompt.k;
  task.exclude_target = context.options.data.deduplicate;
  return context.options.retrieve.hybrid == "none" ? by_mixture(task, context)
                                                   : by_two_blocks(task, context);
}

void run_retrieve(StageContext& context) {
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  const retrieval::Neighbours neighbours = find_neighbours(
      dataset, prompt_samples(dataset.samples, context.options.prompt).all(), context);
  if (context.communicator.rank() == 0) {
    retrieval::save_neighbours(context.run_dir + "/retrieve/neighbours.h5", neighbours);
  }
  spdlog::info("retrieve: {} samples, {} neighbours", neighbours.samples.size(),
               neighbours.places.size());
  context.report.add("samples", static_cast<std::int64_t>(neighbours.samples.size()));
  context.report.add("neighbours", static_cast<std::int64_t>(neighbours.places.size()));
  context.communicator.barrier();
}

}  // namespace rallrec::pipeline
