#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "data/csr_graph.h"
#include "data/datasets/atomic.h"
#include "distributed/place.h"
#include "pipeline/bench/graph.h"
#include "pipeline/bench/line.h"
#include "pipeline/light_gcn_training.h"
#include "train/light_gcn_trainer.h"

namespace rallrec::pipeline {
namespace {

// Edges per user and users per item of a made-up graph, near those of MovieLens-1M.
constexpr std::int64_t kEdgesPerUser = 160;
constexpr std::int64_t kUsersPerItem = 2;
constexpr std::int64_t kLeastEdges = 10'000;

// Items are drawn with a density that falls with their number as popularity does.
data::CsrGraph made_up_graph(std::int64_t edges) {
  const auto users = static_cast<std::int32_t>(std::max<std::int64_t>(edges / kEdgesPerUser, 2));
  const auto items = static_cast<std::int32_t>(std::max<std::int64_t>(users / kUsersPerItem, 2));
  data::EdgeList list;
  Rng rng(1);
  for (std::int64_t e = 0; e < edges; ++e) {
    const double share = rng.next_double();
    const auto item = static_cast<std::int32_t>(share * share * items);
    list.add(static_cast<std::int32_t>(e % users), std::min(item, items - 1));
  }
  return data::make_csr_graph(list, users, items);
}

data::CsrGraph read_graph(const std::string& file) {
  data::IdMap users;
  data::IdMap items;
  std::int64_t rejected = 0;
  const data::InteractionTable table =
      data::read_atomic_interactions(file, {}, users, items, rejected);
  data::EdgeList list;
  for (std::size_t row = 0; row < table.size(); ++row) {
    list.add(table.user[row], table.item[row]);
  }
  return data::make_csr_graph(list, users.size(), items.size());
}

}  // namespace

data::CsrGraph bench_graph(const BenchRequest& request) {
  if (request.edges < kLeastEdges) {
    throw_usage("bench light_gcn: --edges must be at least " + std::to_string(kLeastEdges) +
                "; with fewer a made-up user has every item");
  }
  data::CsrGraph graph =
      request.input.empty() ? made_up_graph(request.edges) : read_graph(request.input);
  require_edges(graph, request.input.empty() ? "the made-up graph" : request.input);
  return graph;
}

GraphEpochs run_graph_epochs(const data::CsrGraph& graph, const BenchRun& run) {
  config::LightGcnOptions options = run.options.light_gcn;
  options.epochs = run.request.repeats + 1;
  GraphEpochs epochs;
  const config::ClusterOptions& cluster = run.options.cluster;
  const auto owner = distributed::make_place({cluster.device, cluster.nccl_init}, run.communicator);
  train::train_light_gcn(graph, data::make_csr_graph({}, graph.users, graph.items), options,
                         owner->place(), [&](const train::LightGcnEpoch& epoch) {
                           epochs.loss = epoch.loss;
                           if (epoch.epoch > 1) {
                             epochs.seconds.push_back(epoch.seconds);
                           }
                         });
  return epochs;
}

void bench_light_gcn(const BenchRun& run) {
  const data::CsrGraph graph = bench_graph(run.request);
  const GraphEpochs epochs = run_graph_epochs(graph, run);
  const config::LightGcnOptions& options = run.options.light_gcn;
  BenchLine line;
  line.bench = "light_gcn";
  line.arm = "epoch";
  line.seconds = seconds_of(epochs.seconds);
  // Every edge is a triple once, and is gone along both ways by each layer of a step's two passes.
  const auto edges = static_cast<double>(graph.edges());
  const double steps = std::ceil(edges / static_cast<double>(options.batch_size));
  line.work = steps * 2.0 * static_cast<double>(options.layers) * 4.0 * edges *
              static_cast<double>(options.embedding_size);
  line.rate = line.work / line.seconds.median;
  line.more = {{"users", static_cast<double>(graph.users)},
               {"items", static_cast<double>(graph.items)},
               {"edges", edges},
               {"batch_size", static_cast<double>(options.batch_size)},
               {"loss", epochs.loss}};
  print_line(line, run);
}

}  // namespace rallrec::pipeline
