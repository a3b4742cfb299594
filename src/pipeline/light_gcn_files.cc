#include "pipeline/light_gcn_files.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "data/csr_graph.h"
#include "data/datasets/atomic.h"
#include "io/atomic_file.h"
#include "io/earlier_results.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "io/npy.h"
#include "metrics/ranking.h"
#include "pipeline/held_out_rows.h"
#include "pipeline/light_gcn_training.h"

namespace rallrec::pipeline {
namespace {

// What is read of the files: the ids of the training file, then those of the others alone.
struct Catalogue {
  data::IdMap users;
  data::IdMap items;
};

// The rows of the training file.
struct TrainingRows {
  std::int64_t rows = 0;
  std::int64_t below_min_rating = 0;
  data::CsrGraph graph;

  std::int64_t repeated() const { return rows - below_min_rating - graph.edges(); }
};

data::InteractionTable read_rows(const std::string& file, const data::ReadOptions& options,
                                 Catalogue& catalogue) {
  io::require_plain_file(file);
  std::int64_t rejected = 0;
  data::InteractionTable table =
      data::read_atomic_interactions(file, options, catalogue.users, catalogue.items, rejected);
  if (table.size() == 0) {
    throw_bad_data(file, "holds no interaction: expected rows below its header");
  }
  return table;
}

[[noreturn]] void throw_all_below(const std::string& file, const data::InteractionTable& table,
                                  double min_rating) {
  const float highest = *std::max_element(table.rating.begin(), table.rating.end());
  throw_bad_data(file, "none of its " + std::to_string(table.size()) +
                           " rows is an edge: the highest rating is " + io::to_json(highest) +
                           ", below light_gcn.min_rating = " + io::to_json(min_rating) +
                           "; lower that key");
}

TrainingRows read_training_rows(const std::string& file, double min_rating,
                                const data::ReadOptions& options, Catalogue& catalogue) {
  const data::InteractionTable table = read_rows(file, options, catalogue);
  if (min_rating != 0.0 && !table.has_ratings()) {
    throw_usage("light_gcn.min_rating = " + io::to_json(min_rating) + ": " + file +
                " has no column rating to compare with it; leave that key out, or add the column");
  }
  const data::EdgeList edges = data::edges_of(table, min_rating);
  if (edges.size() == 0) {
    throw_all_below(file, table, min_rating);
  }
  TrainingRows rows;
  rows.rows = static_cast<std::int64_t>(table.size());
  rows.below_min_rating = rows.rows - static_cast<std::int64_t>(edges.size());
  rows.graph = data::make_csr_graph(edges, catalogue.users.size(), catalogue.items.size());
  require_edges(rows.graph, file);
  return rows;
}

// No rows where no file is named.
HeldOutRows read_held_out(const std::string& file, double min_rating, const data::CsrGraph& train,
                          const data::ReadOptions& options, Catalogue& catalogue) {
  data::InteractionTable table;
  if (!file.empty()) {
    table = read_rows(file, options, catalogue);
  }
  HeldOutRows rows =
      held_out_rows(file, table, min_rating, train, catalogue.users, catalogue.items);
  log_held_out_rows(file, rows);
  return rows;
}

struct AllRows {
  TrainingRows train;
  HeldOutRows valid;
  HeldOutRows test;
};

AllRows read_all(const LightGcnFiles& files, double min_rating, const data::ReadOptions& options,
                 Catalogue& catalogue) {
  AllRows rows;
  rows.train = read_training_rows(files.interactions, min_rating, options, catalogue);
  rows.valid = read_held_out(files.valid, min_rating, rows.train.graph, options, catalogue);
  rows.test = read_held_out(files.test, min_rating, rows.train.graph, options, catalogue);
  return rows;
}

// The first `count` of them.
void write_names(const std::string& path, const data::IdMap& names, std::int32_t count) {
  std::string text;
  for (std::int32_t id = 0; id < count; ++id) {
    text.append(names.name(id)).append("\n");
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

void add_training(const TrainingRows& rows, const train::LightGcnTraining& training,
                  io::JsonObjectWriter& json) {
  const data::CsrGraph& graph = rows.graph;
  json.add("users", graph.users).add("items", graph.items).add("edges", graph.edges());
  json.add("rows", rows.rows).add("rows_below_min_rating", rows.below_min_rating);
  json.add("repeated_rows", rows.repeated());
  json.add("users_without_edge", users_without_edge(graph));
  json.add("items_without_edge", items_without_edge(graph));
  json.add("epochs", training.epochs.size()).add("best_epoch", training.best_epoch);
  json.add("loss", training.epochs.back().loss);
  json.add("seconds_per_epoch", seconds_per_epoch(training));
  const double recall = best_valid_recall(training);
  if (recall >= 0.0) {
    json.add("valid_recall@20", recall);
  }
}

constexpr const char* kUserVectors = "/user_embeddings.npy";
constexpr const char* kItemVectors = "/item_embeddings.npy";
constexpr const char* kUserNames = "/users.txt";
constexpr const char* kItemNames = "/items.txt";
constexpr const char* kMetrics = "/metrics.json";

void remove_earlier(const std::string& folder) {
  io::remove_earlier_results({folder + kMetrics, folder + kUserVectors, folder + kItemVectors,
                              folder + kUserNames, folder + kItemNames});
}

void write_results(const std::string& folder, const Catalogue& catalogue,
                   const data::CsrGraph& graph, std::int64_t width,
                   const train::LightGcnTraining& training, const io::JsonObjectWriter& json) {
  const float* users = training.embeddings.data();
  io::write_npy(folder + kUserVectors, users, {graph.users, width});
  io::write_npy(folder + kItemVectors, users + graph.users * width, {graph.items, width});
  write_names(folder + kUserNames, catalogue.users, graph.users);
  write_names(folder + kItemNames, catalogue.items, graph.items);
  io::write_file_atomically(folder + kMetrics, json.text() + "\n");
}

}  // namespace

void light_gcn_on_files(const LightGcnFiles& files, const config::Options& options,
                        distributed::Communicator& communicator) {
  const bool writes = communicator.rank() == 0;
  const auto folder = writes ? std::make_unique<io::NewFolder>(files.output) : nullptr;
  const std::int64_t width = options.light_gcn.embedding_size;
  Catalogue catalogue;
  const AllRows rows =
      read_all(files, options.light_gcn.min_rating,
               {options.data.max_bad_rows, writes ? files.output : "", &communicator}, catalogue);
  if (writes) {
    remove_earlier(files.output);
  }
  const data::CsrGraph& graph = rows.train.graph;
  auto training = train_light_gcn_with_progress(graph, rows.valid.graph, options, communicator);
  clear_vectors_without_edges(graph, width, training.embeddings);
  io::JsonObjectWriter json;
  if (!files.test.empty()) {
    add_ranking(rank_all_items(graph, rows.test.graph, training, width, communicator), json);
    json.add_json("test", held_out_json(rows.test).text());
  }
  if (!files.valid.empty()) {
    json.add_json("valid", held_out_json(rows.valid).text());
  }
  add_training(rows.train, training, json);
  if (writes) {
    write_results(files.output, catalogue, graph, width, training, json);
    spdlog::info("light_gcn: results are in {}", files.output);
  }
}

}  // namespace rallrec::pipeline
