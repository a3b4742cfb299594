#include "train/light_gcn_trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/finite.h"
#include "distributed/flight_marks.h"
#include "metrics/ranking.h"
#include "models/graph/adjacency.h"
#include "train/light_gcn_step.h"
#include "train/light_gcn_triples.h"

namespace rallrec::train {
namespace {

constexpr std::int64_t kValidCutoff = 20;

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
          {held_out.user_offsets.data(), held_out.user_items.data()},
          std::int64_t{held_out.users} - graph.users};
}

class Trainer {
 public:
  Trainer(const data::CsrGraph& graph, const data::CsrGraph& held_out,
          const config::LightGcnOptions& options, const distributed::Place& place)
      : graph_(graph),
        held_out_(held_out),
        options_(options),
        place_(place),
        triples_(graph, static_cast<std::uint64_t>(options.seed), place.queue),
        step_(models::normalised_adjacency({graph.user_offsets, graph.user_items},
                                           {graph.item_offsets, graph.item_users}),
              options, place) {}

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
    distributed::mark_phase(distributed::Phase::kData);
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
    distributed::mark_step(epoch);
    distributed::mark_phase(distributed::Phase::kForward);
    triples_.start(epoch);
    const std::int64_t batch_size = std::min(options_.batch_size, triples_.size());
    step_.begin((triples_.size() + batch_size - 1) / batch_size);
    for (std::int64_t first = 0; first < triples_.size(); first += batch_size) {
      step_.run(triples_.batch(first, std::min(first + batch_size, triples_.size())));
    }
    const double loss = step_.loss() / static_cast<double>(triples_.size());
    if (!std::isfinite(loss)) {
      throw Error(ExitCode::kNonFinite,
                  "light_gcn: the loss of epoch " + std::to_string(epoch) +
                      " is not finite; a smaller light_gcn.learning_rate may help");
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return {epoch, loss, taken.count(), -1.0};
  }

  // Valid recall of the vectors as they stand; keeps them where it is the best so far.
  void look(LightGcnEpoch& record) {
    const distributed::PhaseScope scope(distributed::Phase::kEvaluation);
    step_.embeddings(candidate_);
    const auto task = valid_task(graph_, held_out_, candidate_, options_.embedding_size);
    record.valid_recall = metrics::full_ranking(task, {kValidCutoff}, place_.host).recall[0];
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
  distributed::Place place_;
  LightGcnTriples triples_;
  LightGcnStep step_;
  std::vector<float> candidate_;
  LightGcnTraining result_;
  double best_recall_ = -1.0;
  std::int64_t looks_without_gain_ = 0;
  bool stop_ = false;
};

}  // namespace

LightGcnTraining train_light_gcn(const data::CsrGraph& graph, const data::CsrGraph& held_out,
                                 const config::LightGcnOptions& options,
                                 const distributed::Place& place,
                                 const std::function<void(const LightGcnEpoch&)>& on_epoch) {
  return Trainer(graph, held_out, options, place).run(on_epoch);
}

}  // namespace rallrec::train
