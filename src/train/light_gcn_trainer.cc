#include "train/light_gcn_trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/finite.h"
#include "core/rng.h"
#include "data/negative_sampler.h"
#include "metrics/ranking.h"
#include "models/graph/adjacency.h"
#include "train/light_gcn_step.h"

namespace rallrec::train {
namespace {

constexpr std::int64_t kValidCutoff = 20;
// Separates the order of edges from other uses of the same seed.
constexpr std::uint64_t kOrderStream = std::uint64_t{0x6f72646572} << 24;

// An edge that can be trained on, and its number in the graph.
struct TrainingEdge {
  std::int32_t user;
  std::int32_t item;
  std::int64_t number;
};

std::vector<TrainingEdge> training_edges(const data::CsrGraph& graph,
                                         const data::NegativeSampler& sampler) {
  std::vector<TrainingEdge> edges;
  for (std::int32_t user = 0; user < graph.users; ++user) {
    for (std::int64_t e = graph.user_offsets[user]; e < graph.user_offsets[user + 1]; ++e) {
      if (sampler.has_negative(user)) {
        edges.push_back({user, graph.user_items[e], e});
      }
    }
  }
  if (edges.empty()) {
    throw_bad_data("light_gcn",
                   "no edge to train on: the graph has no edges, or every user has every item");
  }
  return edges;
}

// Fisher-Yates from the graph's order: a function of (seed, epoch).
std::vector<std::int32_t> edge_order(std::size_t count, std::uint64_t seed, std::int64_t epoch) {
  std::vector<std::int32_t> order(count);
  for (std::size_t i = 0; i < count; ++i) {
    order[i] = static_cast<std::int32_t>(i);
  }
  Rng rng(seed, kOrderStream + static_cast<std::uint64_t>(epoch));
  for (std::size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[rng.next_below(i)]);
  }
  return order;
}

// The loss is that of the vectors before the last update.
void require_finite(const std::vector<float>& vectors) {
  if (!all_finite(vectors.data(), vectors.size())) {
    throw Error(ExitCode::kNonFinite,
                "light_gcn: the trained vectors are not finite; a smaller "
                "light_gcn.learning_rate may help");
  }
}

metrics::RankingTask valid_task(const data::CsrGraph& graph, const data::CsrGraph& held_out,
                                const std::vector<float>& embeddings, std::int64_t width) {
  return {embeddings.data(),
          embeddings.data() + graph.users * width,
          graph.users,
          graph.items,
          width,
          {graph.user_offsets.data(), graph.user_items.data()},
          {held_out.user_offsets.data(), held_out.user_items.data()}};
}

class Trainer {
 public:
  Trainer(const data::CsrGraph& graph, const data::CsrGraph& held_out,
          const config::LightGcnOptions& options, distributed::Communicator& communicator)
      : graph_(graph),
        held_out_(held_out),
        options_(options),
        communicator_(communicator),
        sampler_(graph, static_cast<std::uint64_t>(options.seed)),
        edges_(training_edges(graph, sampler_)),
        adjacency_(models::normalised_adjacency({graph.user_offsets, graph.user_items},
                                                {graph.item_offsets, graph.item_users})),
        step_(adjacency_, options, communicator) {}

  LightGcnTraining run(const std::function<void(const LightGcnEpoch&)>& on_epoch) {
    for (std::int64_t epoch = 1; epoch <= options_.epochs && !stop_; ++epoch) {
      LightGcnEpoch record = train_epoch(epoch);
      const bool due = epoch % options_.evaluate_every == 0 || epoch == options_.epochs;
      if (held_out_.edges() > 0 && due) {
        look(record);
      }
      result_.epochs.push_back(record);
      if (on_epoch) {
        on_epoch(record);
      }
    }
    if (held_out_.edges() == 0) {
      result_.best_epoch = options_.epochs;
    }
    if (result_.embeddings.empty()) {
      step_.embeddings(result_.embeddings);
    }
    require_finite(result_.embeddings);
    return std::move(result_);
  }

 private:
  LightGcnEpoch train_epoch(std::int64_t epoch) {
    const auto start = std::chrono::steady_clock::now();
    const auto order = edge_order(edges_.size(), static_cast<std::uint64_t>(options_.seed), epoch);
    const auto batch_size = static_cast<std::size_t>(options_.batch_size);
    double loss = 0.0;
    for (std::size_t first = 0; first < order.size(); first += batch_size) {
      fill_batch(order, first, std::min(first + batch_size, order.size()), epoch);
      loss += step_.run(triples_.batch());
    }
    loss /= static_cast<double>(order.size());
    if (!std::isfinite(loss)) {
      throw Error(ExitCode::kNonFinite,
                  "light_gcn: the loss of epoch " + std::to_string(epoch) +
                      " is not finite; a smaller light_gcn.learning_rate may help");
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return {epoch, loss, taken.count(), -1.0};
  }

  void fill_batch(const std::vector<std::int32_t>& order, std::size_t begin, std::size_t end,
                  std::int64_t epoch) {
    triples_.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const TrainingEdge& edge = edges_[order[i]];
      const std::int32_t negative =
          sampler_.sample(edge.user, static_cast<std::uint32_t>(epoch), edge.number);
      triples_.users.push_back(edge.user);
      triples_.positives.push_back(graph_.users + edge.item);
      triples_.negatives.push_back(graph_.users + negative);
    }
  }

  // Valid recall of the vectors as they stand; keeps them where it is the best so far.
  void look(LightGcnEpoch& record) {
    step_.embeddings(candidate_);
    const auto task = valid_task(graph_, held_out_, candidate_, options_.embedding_size);
    record.valid_recall = metrics::full_ranking(task, {kValidCutoff}, communicator_).recall[0];
    if (record.valid_recall > best_recall_) {
      best_recall_ = record.valid_recall;
      result_.best_epoch = record.epoch;
      result_.embeddings = candidate_;
      looks_without_gain_ = 0;
    } else {
      ++looks_without_gain_;
    }
    stop_ = looks_without_gain_ >= options_.patience;
  }

  const data::CsrGraph& graph_;
  const data::CsrGraph& held_out_;
  const config::LightGcnOptions& options_;
  distributed::Communicator& communicator_;
  data::NegativeSampler sampler_;
  std::vector<TrainingEdge> edges_;
  models::Adjacency adjacency_;
  LightGcnStep step_;
  NodeTriples triples_;
  std::vector<float> candidate_;
  LightGcnTraining result_;
  double best_recall_ = -1.0;
  std::int64_t looks_without_gain_ = 0;
  bool stop_ = false;
};

}  // namespace

LightGcnTraining train_light_gcn(const data::CsrGraph& graph, const data::CsrGraph& held_out,
                                 const config::LightGcnOptions& options,
                                 distributed::Communicator& communicator,
                                 const std::function<void(const LightGcnEpoch&)>& on_epoch) {
  return Trainer(graph, held_out, options, communicator).run(on_epoch);
}

}  // namespace rallrec::train
