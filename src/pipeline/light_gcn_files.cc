#include "pipeline/light_gcn_files.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "core/error.h"
#include "data/csr_graph.h"
#include "data/datasets/atomic.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "io/npy.h"
#include "metrics/ranking.h"
#include "pipeline/light_gcn_training.h"

namespace rallrec::pipeline {
namespace {

// The catalogue over all files, and the edges of each.
struct Catalogue {
  data::IdMap users;
  data::IdMap items;
  std::int64_t rejected_rows = 0;
};

data::EdgeList read_edges(const std::string& file, double min_rating,
                          const data::ReadOptions& options, Catalogue& catalogue) {
  data::EdgeList edges;
  if (file.empty()) {
    return edges;
  }
  io::require_plain_file(file);
  const data::InteractionTable table = data::read_atomic_interactions(
      file, options, catalogue.users, catalogue.items, catalogue.rejected_rows);
  for (std::size_t row = 0; row < table.size(); ++row) {
    if (min_rating <= 0.0 || !table.has_ratings() || table.rating[row] >= min_rating) {
      edges.add(table.user[row], table.item[row]);
    }
  }
  if (edges.size() == 0) {
    throw_bad_data(file, "holds no interaction");
  }
  return edges;
}

void write_names(const std::string& path, const data::IdMap& names) {
  std::string text;
  for (std::int32_t id = 0; id < names.size(); ++id) {
    text += names.name(id) + "\n";
  }
  io::write_file_atomically(path, text);
}

void add_ranking(const metrics::RankingMetrics& ranking, io::JsonObjectWriter& json) {
  for (std::size_t c = 0; c < ranking.cutoffs.size(); ++c) {
    const std::string cutoff = std::to_string(ranking.cutoffs[c]);
    json.add("recall@" + cutoff, ranking.recall[c]);
    json.add("ndcg@" + cutoff, ranking.ndcg[c]);
  }
  json.add("test_users", ranking.users);
}

void add_training(const data::CsrGraph& graph, const train::LightGcnTraining& training,
                  io::JsonObjectWriter& json) {
  json.add("users", graph.users).add("items", graph.items).add("edges", graph.edges());
  json.add("epochs", training.epochs.size()).add("best_epoch", training.best_epoch);
  json.add("loss", training.epochs.back().loss);
  json.add("seconds_per_epoch", seconds_per_epoch(training));
  const double recall = best_valid_recall(training);
  if (recall >= 0.0) {
    json.add("valid_recall@20", recall);
  }
}

void write_results(const std::string& folder, const Catalogue& catalogue,
                   const data::CsrGraph& graph, std::int64_t width,
                   const train::LightGcnTraining& training, const io::JsonObjectWriter& json) {
  // Gone until all are written: metrics.json says that the files beside it belong together.
  const std::string metrics = folder + "/metrics.json";
  std::remove(metrics.c_str());
  const float* users = training.embeddings.data();
  io::write_npy(folder + "/user_embeddings.npy", users, {graph.users, width});
  io::write_npy(folder + "/item_embeddings.npy", users + graph.users * width, {graph.items, width});
  write_names(folder + "/users.txt", catalogue.users);
  write_names(folder + "/items.txt", catalogue.items);
  io::write_file_atomically(metrics, json.text() + "\n");
}

}  // namespace

void light_gcn_on_files(const LightGcnFiles& files, const config::Options& options,
                        distributed::Communicator& communicator) {
  const bool writes = communicator.rank() == 0;
  const auto folder = writes ? std::make_unique<io::NewFolder>(files.output) : nullptr;
  const config::LightGcnOptions& settings = options.light_gcn;
  const data::ReadOptions reading{options.data.max_bad_rows, writes ? files.output : "",
                                  &communicator};
  Catalogue catalogue;
  const auto train = read_edges(files.interactions, settings.min_rating, reading, catalogue);
  const auto valid = read_edges(files.valid, 0.0, reading, catalogue);
  const auto test = read_edges(files.test, 0.0, reading, catalogue);
  const auto to_graph = [&](const data::EdgeList& edges) {
    return data::make_csr_graph(edges, catalogue.users.size(), catalogue.items.size());
  };
  const data::CsrGraph graph = to_graph(train);
  require_edges(graph, files.interactions);
  const auto training =
      train_light_gcn_with_progress(graph, to_graph(valid), options, communicator);
  io::JsonObjectWriter json;
  if (!files.test.empty()) {
    const data::CsrGraph relevant = to_graph(test);
    add_ranking(rank_all_items(graph, relevant, training, settings.embedding_size, communicator),
                json);
  }
  add_training(graph, training, json);
  if (writes) {
    write_results(files.output, catalogue, graph, settings.embedding_size, training, json);
    spdlog::info("light_gcn: results are in {}", files.output);
  }
}

}  // namespace rallrec::pipeline
