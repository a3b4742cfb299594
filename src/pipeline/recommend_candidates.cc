#include "pipeline/recommend_candidates.h"

#include <algorithm>

#include "config/did_you_mean.h"
#include "core/error.h"
#include "data/history.h"
#include "io/jsonl.h"
#include "pipeline/embedding_file.h"
#include "pipeline/item_blocks.h"
#include "pipeline/pair_samples.h"
#include "pipeline/retrieve.h"
#include "retrieval/catalogue_search.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kGraphFile = "light_gcn/graph_embeddings.h5";

// The ids below `count` that `kept`, ascending, does not hold.
std::vector<std::int32_t> others(const std::vector<std::int32_t>& kept, std::int32_t count) {
  std::vector<std::int32_t> rest;
  for (std::int32_t id = 0; id < count; ++id) {
    if (!std::binary_search(kept.begin(), kept.end(), id)) {
      rest.push_back(id);
    }
  }
  return rest;
}

// The items that a user's taste is taken from.
std::vector<std::int32_t> liked_items(const data::Dataset& dataset, std::int32_t user,
                                      double threshold) {
  const data::History history = full_history(dataset, user);
  std::vector<std::int32_t> liked, all;
  for (std::size_t i = 0; i < history.size(); ++i) {
    all.push_back(history.item(i));
    if (history.rating(i) > threshold) {
      liked.push_back(history.item(i));
    }
  }
  return liked.empty() ? all : liked;
}

std::vector<float> mean_of_rows(const EmbeddingMatrix& matrix,
                                const std::vector<std::int32_t>& rows) {
  std::vector<double> sums(static_cast<std::size_t>(matrix.columns));
  for (const std::int32_t row : rows) {
    for (std::size_t k = 0; k < sums.size(); ++k) {
      sums[k] += matrix.values[static_cast<std::size_t>(row * matrix.columns) + k];
    }
  }
  std::vector<float> mean;
  for (const double sum : sums) {
    mean.push_back(static_cast<float>(sum / static_cast<double>(rows.size())));
  }
  return mean;
}

// The table that is searched and what is looked for in it.
struct Search {
  EmbeddingMatrix table;
  std::vector<float> query;
};

Search search_of(const ShortlistTask& task, const data::Dataset& dataset,
                 const StageContext& context) {
  const std::int64_t items = dataset.items.size();
  if (task.by == ShortlistBy::kLightGcn) {
    const std::string path = context.run_dir + "/" + kGraphFile;
    return {read_embeddings(path, "item", items),
            mean_of_rows(read_embeddings(path, "user", dataset.users.size()), {task.user})};
  }
  EmbeddingMatrix vectors = item_vectors(context.options.retrieve.blocks, context, items);
  std::vector<float> query =
      mean_of_rows(vectors, liked_items(dataset, task.user, context.options.data.label_threshold));
  return {std::move(vectors), std::move(query)};
}

}  // namespace

std::vector<std::int32_t> unrated_items(const data::Dataset& dataset, std::int32_t user) {
  const data::History history = full_history(dataset, user);
  std::vector<std::int32_t> rated;
  for (std::size_t i = 0; i < history.size(); ++i) {
    rated.push_back(history.item(i));
  }
  std::sort(rated.begin(), rated.end());
  return others(rated, dataset.items.size());
}

std::vector<std::int32_t> read_candidates(const std::string& path, const data::Dataset& dataset,
                                          const StageContext& context) {
  std::vector<std::int32_t> items;
  io::for_each_record(
      path,
      io::with_bad_rows(path, context.options.data.max_bad_rows, context.communicator.rank() == 0),
      [&](const io::JsonRecord& record) { items.push_back(item_of(record, dataset)); });
  if (items.empty()) {
    throw_bad_data(path, "holds no candidate; expected lines {\"item\": …}");
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

ShortlistBy shortlist_by_from(const std::string& name) {
  if (name == "vectors") return ShortlistBy::kVectors;
  if (name == "light_gcn") return ShortlistBy::kLightGcn;
  throw_usage("--shortlist-by " + name + ": expected vectors or light_gcn" +
              config::did_you_mean(name, {"vectors", "light_gcn"}));
}

std::vector<std::string> shortlist_files(ShortlistBy by, const config::Options& options) {
  return by == ShortlistBy::kLightGcn ? std::vector<std::string>{kGraphFile} : block_files(options);
}

std::vector<std::int32_t> shortlist(const ShortlistTask& task, const data::Dataset& dataset,
                                    const StageContext& context) {
  const Search search = search_of(task, dataset, context);
  const std::vector<std::int32_t> excluded = others(task.candidates, dataset.items.size());
  const std::vector<std::int64_t> offsets = {0, static_cast<std::int64_t>(excluded.size())};
  kernels::NearestTask nearest;
  nearest.queries = search.query.data();
  nearest.query_count = 1;
  nearest.table = search.table.values.data();
  nearest.rows = search.table.rows;
  nearest.width = search.table.columns;
  nearest.k = std::min(task.count, static_cast<std::int64_t>(task.candidates.size()));
  nearest.excluded_offsets = offsets.data();
  nearest.excluded = excluded.data();
  return retrieval::search_catalogue(nearest, context.communicator).items;
}

}  // namespace rallrec::pipeline
