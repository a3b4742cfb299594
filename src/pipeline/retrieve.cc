#include "pipeline/retrieve.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "data/dataset_file.h"
#include "distributed/joint_error.h"
#include "kernels/unit_rows.h"
#include "pipeline/item_blocks.h"
#include "pipeline/prompt_samples.h"
#include "pipeline/refcompat_retrieval.h"
#include "retrieval/embedding_mixture.h"
#include "retrieval/hybrid.h"
#include "retrieval/neighbours_file.h"
#include "retrieval/retriever.h"

namespace rallrec::pipeline {

EmbeddingMatrix item_vectors(const std::vector<std::string>& names, const StageContext& context,
                             std::int64_t items) {
  const config::RefcompatOptions& refcompat = context.options.refcompat;
  std::vector<EmbeddingMatrix> matrices;
  std::vector<retrieval::EmbeddingBlock> blocks;
  for (const std::string& name : names) {
    matrices.push_back(read_block(name, context, items));
  }
  EmbeddingMatrix mixed;
  for (const EmbeddingMatrix& matrix : matrices) {
    blocks.push_back({matrix.values.data(), matrix.columns});
    mixed.columns += matrix.columns;
  }
  mixed.rows = items;
  mixed.values = retrieval::mix_embeddings(
      blocks, items,
      refcompat.max_norm ? retrieval::BlockScale::kLargestNorm : retrieval::BlockScale::kOwnNorm);
  if (refcompat.cosine_ranking) {
    kernels::unit_rows({}, items, mixed.columns, mixed.values.data(), mixed.values.data(), nullptr);
  }
  mixed.values.resize(static_cast<std::size_t>((items + 1) * mixed.columns));
  return mixed;
}

namespace {

retrieval::ItemVectors view(const EmbeddingMatrix& matrix) {
  return {matrix.values.data(), matrix.columns};
}

// The neighbours by the mixture of the blocks of those names.
retrieval::Neighbours by_mixture(retrieval::RetrievalTask task,
                                 const std::vector<std::string>& names,
                                 const StageContext& context) {
  const EmbeddingMatrix vectors = item_vectors(names, context, task.dataset->items.size());
  task.vectors = view(vectors);
  return retrieval::retrieve_neighbours(task, context.communicator);
}

// The neighbours by two blocks that share the list.
retrieval::Neighbours by_two_blocks(retrieval::RetrievalTask task, const StageContext& context) {
  const config::RetrieveOptions& options = context.options.retrieve;
  if (context.options.refcompat.amazon_hybrid_empty) {
    return no_neighbours(task.samples);
  }
  if (options.hybrid == "counts") {
    return retrieval::join_halves(by_mixture(task, {options.blocks.at(0)}, context),
                                  by_mixture(task, {options.blocks.at(1)}, context), task.k);
  }
  const std::int64_t items = task.dataset->items.size();
  const EmbeddingMatrix first = item_vectors({options.blocks.at(0)}, context, items);
  const EmbeddingMatrix second = item_vectors({options.blocks.at(1)}, context, items);
  task.vectors = view(first);
  task.other_vectors = view(second);
  return retrieval::retrieve_neighbours(task, context.communicator);
}

retrieval::RetrievalTask task_of(const data::Dataset& dataset, std::vector<std::int32_t> samples,
                                 const config::Options& options) {
  retrieval::RetrievalTask task;
  task.dataset = &dataset;
  task.samples = std::move(samples);
  task.row_of = candidate_rows(dataset.items, options.refcompat);
  task.k = options.prompt.k;
  task.exclude_target = options.data.deduplicate;
  return task;
}

// Training samples by the text alone, the others as the options say.
retrieval::Neighbours with_training_by_text(const data::Dataset& dataset, PromptSamples samples,
                                            const StageContext& context) {
  std::sort(samples.train.begin(), samples.train.end());
  const retrieval::Neighbours train =
      by_mixture(task_of(dataset, samples.train, context.options), {"text"}, context);
  samples.train.clear();
  return joined(train, find_neighbours(dataset, samples.all(), context));
}

}  // namespace

retrieval::Neighbours find_neighbours(const data::Dataset& dataset,
                                      std::vector<std::int32_t> samples,
                                      const StageContext& context) {
  const retrieval::RetrievalTask task = task_of(dataset, std::move(samples), context.options);
  const config::RetrieveOptions& options = context.options.retrieve;
  return options.hybrid == "none" ? by_mixture(task, options.blocks, context)
                                  : by_two_blocks(task, context);
}

void run_retrieve(StageContext& context) {
  const config::Options& options = context.options;
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  const PromptSamples samples = prompt_samples(dataset.samples, options.prompt);
  const retrieval::Neighbours neighbours = trains_on_text(options)
                                               ? with_training_by_text(dataset, samples, context)
                                               : find_neighbours(dataset, samples.all(), context);
  distributed::run_on_rank_0(context.communicator, [&] {
    retrieval::save_neighbours(context.run_dir + "/retrieve/neighbours.h5", neighbours);
  });
  spdlog::info("retrieve: {} samples, {} neighbours", neighbours.samples.size(),
               neighbours.places.size());
  context.report.add("samples", static_cast<std::int64_t>(neighbours.samples.size()));
  context.report.add("neighbours", static_cast<std::int64_t>(neighbours.places.size()));
}

}  // namespace rallrec::pipeline
