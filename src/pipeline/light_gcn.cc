#include "pipeline/light_gcn.h"

#include <spdlog/spdlog.h>

#include "data/dataset_file.h"
#include "data/graph_edges.h"
#include "distributed/joint_error.h"
#include "io/hdf5_file.h"
#include "pipeline/light_gcn_training.h"

namespace rallrec::pipeline {
namespace {

// The valid samples between users and items that the graph knows.
data::EdgeList valid_edges(const data::Dataset& dataset, const data::CsrGraph& graph,
                           double min_rating) {
  const data::SampleRange valid = data::range_of(dataset.samples, data::Split::kValid);
  data::EdgeList edges;
  for (std::int32_t sample = valid.begin; sample < valid.end; ++sample) {
    const std::int32_t user = dataset.sample_user(sample);
    const std::int32_t item = dataset.sample_item(sample);
    const bool counts = dataset.sample_rating(sample) >= min_rating && !graph.has_edge(user, item);
    if (counts && graph.user_degree(user) > 0 && graph.item_degree(item) > 0) {
      edges.add(user, item);
    }
  }
  return edges;
}

void write_embeddings(const std::string& path, const data::CsrGraph& graph, std::int64_t width,
                      const train::LightGcnTraining& training) {
  std::vector<double> losses;
  std::vector<double> recalls;
  for (const auto& epoch : training.epochs) {
    losses.push_back(epoch.loss);
    recalls.push_back(epoch.valid_recall);
  }
  io::Hdf5Writer file(path);
  const float* users = training.embeddings.data();
  file.add_matrix("item", users + graph.users * width, graph.items, width);
  file.add_matrix("user", users, graph.users, width);
  file.add("epoch_loss", losses);
  file.add("valid_recall", recalls);
  file.set_attribute("best_epoch", training.best_epoch);
  file.commit();
}

void report_training(const data::CsrGraph& graph, const train::LightGcnTraining& training,
                     double valid_recall, StageReport& report) {
  report.add("edges", graph.edges());
  report.add("items without edge", items_without_edge(graph));
  report.add("epochs", static_cast<std::int64_t>(training.epochs.size()));
  report.add("best epoch", training.best_epoch);
  report.add("seconds per epoch", seconds_per_epoch(training));
  report.add("valid recall@20", valid_recall);
}

}  // namespace

void run_light_gcn(StageContext& context) {
  const config::LightGcnOptions& options = context.options.light_gcn;
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  const data::EdgeSplit split =
      data::light_gcn_edges(dataset, options.edges, options.min_rating, options.held_out_min_rows);
  const auto to_graph = [&](const data::EdgeList& edges) {
    return data::make_csr_graph(edges, dataset.users.size(), dataset.items.size());
  };
  const data::CsrGraph graph = to_graph(split.train);
  require_edges(graph, context.run_dir + "/ingest/interactions.h5");
  auto training = train_light_gcn_with_progress(graph, to_graph(split.held_out), context.options,
                                                context.communicator);
  double valid_recall = best_valid_recall(training);
  if (split.held_out.size() == 0) {
    const data::CsrGraph valid = to_graph(valid_edges(dataset, graph, options.min_rating));
    valid_recall =
        rank_all_items(graph, valid, training, options.embedding_size, context.communicator)
            .recall.back();
  }
  clear_vectors_without_edges(graph, options.embedding_size, training.embeddings);
  distributed::run_on_rank_0(context.communicator, [&] {
    write_embeddings(context.run_dir + "/light_gcn/graph_embeddings.h5", graph,
                     options.embedding_size, training);
  });
  report_training(graph, training, valid_recall, context.report);
}

}  // namespace rallrec::pipeline
