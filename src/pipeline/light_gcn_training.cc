#include "pipeline/light_gcn_training.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/error.h"
#include "distributed/place.h"
#include "logging/progress.h"

namespace rallrec::pipeline {
namespace {

std::string note_of(const train::LightGcnEpoch& epoch) {
  const std::string loss = fmt::format("loss {:.4f}", epoch.loss);
  return epoch.valid_recall < 0.0
             ? loss
             : loss + fmt::format(", valid recall@20 {:.4f}", epoch.valid_recall);
}

}  // namespace

void require_edges(const data::CsrGraph& graph, const std::string& file) {
  for (std::int32_t user = 0; user < graph.users; ++user) {
    const std::int64_t degree = graph.user_offsets[user + 1] - graph.user_offsets[user];
    if (degree > 0 && degree < graph.items) {
      return;
    }
  }
  throw_bad_data(file, graph.edges() == 0 ? "holds no edge to train on"
                                          : "every user has every item: there is nothing to rank "
                                            "below, and so nothing to learn");
}

void clear_vectors_without_edges(const data::CsrGraph& graph, std::int64_t width,
                                 std::vector<float>& vectors) {
  for (std::int32_t user = 0; user < graph.users; ++user) {
    if (graph.user_degree(user) == 0) {
      std::fill_n(vectors.begin() + user * width, width, 0.0f);
    }
  }
  for (std::int32_t item = 0; item < graph.items; ++item) {
    if (graph.item_degree(item) == 0) {
      std::fill_n(vectors.begin() + (graph.users + item) * width, width, 0.0f);
    }
  }
}

std::int64_t users_without_edge(const data::CsrGraph& graph) {
  std::int64_t count = 0;
  for (std::int32_t user = 0; user < graph.users; ++user) {
    count += graph.user_degree(user) == 0 ? 1 : 0;
  }
  return count;
}

std::int64_t items_without_edge(const data::CsrGraph& graph) {
  std::int64_t count = 0;
  for (std::int32_t item = 0; item < graph.items; ++item) {
    count += graph.item_degree(item) == 0 ? 1 : 0;
  }
  return count;
}

train::LightGcnTraining train_light_gcn_with_progress(const data::CsrGraph& graph,
                                                      const data::CsrGraph& held_out,
                                                      const config::Options& options,
                                                      distributed::Communicator& communicator) {
  const config::LightGcnOptions& settings = options.light_gcn;
  spdlog::info("light_gcn: {} users, {} items, {} edges, {} held out; {} layers, width {}, on {}",
               graph.users, graph.items, graph.edges(), held_out.edges(), settings.layers,
               settings.embedding_size, options.cluster.device);
  const auto owner =
      distributed::make_place({options.cluster.device, options.cluster.nccl_init}, communicator);
  logging::Progress progress("light_gcn", "epochs", settings.epochs);
  return train::train_light_gcn(
      graph, held_out, settings, owner->place(),
      [&progress](const train::LightGcnEpoch& epoch) { progress.advance(1, note_of(epoch)); });
}

metrics::RankingMetrics rank_all_items(const data::CsrGraph& graph, const data::CsrGraph& relevant,
                                       const train::LightGcnTraining& training, std::int64_t width,
                                       distributed::Communicator& communicator) {
  const float* users = training.embeddings.data();
  const metrics::RankingTask task{users,
                                  users + graph.users * width,
                                  graph.users,
                                  graph.items,
                                  width,
                                  {graph.user_offsets.data(), graph.user_items.data()},
                                  {relevant.user_offsets.data(), relevant.user_items.data()},
                                  std::int64_t{relevant.users} - graph.users};
  return metrics::full_ranking(task, {10, 20}, communicator);
}

double best_valid_recall(const train::LightGcnTraining& training) {
  double best = -1.0;
  for (const auto& epoch : training.epochs) {
    best = std::max(best, epoch.valid_recall);
  }
  return best;
}

double seconds_per_epoch(const train::LightGcnTraining& training) {
  double seconds = 0.0;
  for (const auto& epoch : training.epochs) {
    seconds += epoch.seconds;
  }
  return training.epochs.empty() ? 0.0 : seconds / static_cast<double>(training.epochs.size());
}

}  // namespace rallrec::pipeline
