#include "train/light_gcn_trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "models/graph/adjacency.h"
#include "tests/support/expect_error.h"
#include "tests/support/thread_count_guard.h"
#include "train/light_gcn_step.h"

namespace rallrec::train {
namespace {

// Two groups of users and items that keep to themselves, with a third of the pairs inside a group
// as training edges and some of the others held out.
struct Groups {
  data::EdgeList train, held_out;
  static constexpr std::int32_t kUsers = 60, kItems = 40;

  Groups() {
    for (std::int32_t u = 0; u < kUsers; ++u) {
      for (std::int32_t i = u % 2; i < kItems; i += 2) {
        const std::int32_t draw = (u * 7 + i * 5 + u * i) % 6;
        if (draw < 2) {
          train.add(u, i);
        } else if (draw == 2) {
          held_out.add(u, i);
        }
      }
    }
  }
  data::CsrGraph train_graph() const { return make_csr_graph(train, kUsers, kItems); }
  data::CsrGraph held_out_graph() const { return make_csr_graph(held_out, kUsers, kItems); }
};

config::LightGcnOptions small_options() {
  config::LightGcnOptions options;
  options.embedding_size = 8;
  options.batch_size = 64;
  options.epochs = 20;
  options.learning_rate = 0.02;
  options.evaluate_every = 2;
  return options;
}

// Graph nodes: items are numbered after the users.
struct Triples {
  std::vector<std::int32_t> users, positives, negatives;
  kernels::BprBatch batch() const {
    return {users.data(), positives.data(), negatives.data(),
            static_cast<std::int64_t>(users.size())};
  }
};

models::Adjacency adjacency_of(const data::CsrGraph& g) {
  return models::normalised_adjacency({g.user_offsets, g.user_items},
                                      {g.item_offsets, g.item_users});
}

// The batch's loss as a function of E0, in double and without the step's code.
double batch_loss(const models::Adjacency& a, const std::vector<double>& e0, std::int64_t width,
                  const config::LightGcnOptions& options, const Triples& t) {
  std::vector<double> level = e0, sum = e0;
  for (std::int64_t l = 0; l < options.layers; ++l) {
    std::vector<double> next(level.size());
    for (std::int64_t r = 0; r < a.nodes(); ++r) {
      for (std::int64_t e = a.offsets[r]; e < a.offsets[r + 1]; ++e) {
        for (std::int64_t k = 0; k < width; ++k) {
          next[r * width + k] += double{a.weights[e]} * level[a.neighbours[e] * width + k];
        }
      }
    }
    level = next;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += level[i];
    }
  }
  const double layers = static_cast<double>(options.layers + 1);
  double loss = 0.0, norms[3] = {};
  for (std::size_t b = 0; b < t.users.size(); ++b) {
    double margin = 0.0;
    for (std::int64_t k = 0; k < width; ++k) {
      const std::int64_t at[] = {t.users[b] * width + k, t.positives[b] * width + k,
                                 t.negatives[b] * width + k};
      margin += sum[at[0]] * (sum[at[1]] - sum[at[2]]) / (layers * layers);
      for (int role = 0; role < 3; ++role) {
        norms[role] += e0[at[role]] * e0[at[role]];
      }
    }
    loss += std::log(1.0 + std::exp(-margin));
  }
  return loss +
         options.reg_weight * (std::sqrt(norms[0]) + std::sqrt(norms[1]) + std::sqrt(norms[2]));
}

TEST(LightGcnStep, MovesEachVectorAgainstItsFiniteDifference) {
  const auto graph = Groups().train_graph();
  const auto adjacency = adjacency_of(graph);
  auto options = small_options();
  options.layers = 3;
  options.reg_weight = 0.5;
  distributed::LocalCommunicator communicator;
  LightGcnStep step(adjacency, options, distributed::cpu_place(communicator));
  const Triples t{{0, 1, 2, 0, 5}, {60, 61, 64, 62, 63}, {61, 66, 99, 71, 98}};
  const std::vector<float> before = step.layer0().host();
  std::vector<double> e0(before.begin(), before.end());
  step.begin(1);
  step.run(t.batch());
  const std::vector<float> after = step.layer0().host();
  EXPECT_NEAR(step.loss(), batch_loss(adjacency, e0, 8, options, t), 1e-5);
  int compared = 0;
  for (std::size_t i = 0; i < e0.size(); ++i) {
    const double at = e0[i];
    e0[i] = at + 1e-4;
    const double above = batch_loss(adjacency, e0, 8, options, t);
    e0[i] = at - 1e-4;
    const double slope = (above - batch_loss(adjacency, e0, 8, options, t)) / 2e-4;
    e0[i] = at;
    // The first step of Adam is the learning rate against the gradient's sign.
    if (std::fabs(slope) > 1e-3) {
      ++compared;
      ASSERT_NEAR(after[i] - before[i], slope > 0 ? -0.02 : 0.02, 1e-3) << i;
    }
  }
  EXPECT_GT(compared, 200);
}

TEST(TrainLightGcn, LearnsTheGroupsAndKeepsTheBestEpoch) {
  const Groups groups;
  distributed::LocalCommunicator communicator;
  const auto options = small_options();
  int calls = 0;
  const auto training =
      train_light_gcn(groups.train_graph(), groups.held_out_graph(), options,
                      distributed::cpu_place(communicator), [&](const LightGcnEpoch&) { ++calls; });
  EXPECT_EQ(calls, static_cast<int>(training.epochs.size()));
  EXPECT_LT(training.epochs.back().loss, 0.7 * training.epochs.front().loss);
  double best = -1.0;
  std::int64_t best_epoch = 0;
  for (const auto& epoch : training.epochs) {
    EXPECT_EQ(epoch.valid_recall >= 0.0, epoch.epoch % 2 == 0);
    if (epoch.valid_recall > best) {
      best = epoch.valid_recall;
      best_epoch = epoch.epoch;
    }
  }
  EXPECT_EQ(training.best_epoch, best_epoch);
  EXPECT_GT(best, 0.9);
}

TEST(TrainLightGcn, StopsAfterLooksWithoutGain) {
  const Groups groups;
  distributed::LocalCommunicator communicator;
  auto options = small_options();
  options.epochs = 500;
  options.patience = 3;
  const auto training = train_light_gcn(groups.train_graph(), groups.held_out_graph(), options,
                                        distributed::cpu_place(communicator), nullptr);
  EXPECT_LT(training.epochs.size(), 500u);
  EXPECT_EQ(training.epochs.back().epoch, training.best_epoch + 3 * options.evaluate_every);
}

// Batches of 64 name all rows, those of 16 fewer than there are: the one is gathered, of the other
// only its rows.
class LightGcnBatches : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(LightGcnBatches, BitsDependNeitherOnRanksNorOnThreads) {
  const Groups groups;
  const auto graph = groups.train_graph();
  const auto held_out = groups.held_out_graph();
  auto options = small_options();
  options.epochs = 4;
  options.batch_size = GetParam();
  options.reg_weight = 0.01;
  distributed::LocalCommunicator local;
  const auto expected =
      train_light_gcn(graph, held_out, options, distributed::cpu_place(local), nullptr);
  rallrec::testing::ThreadCountGuard threads(2);
  for (const int ranks : {1, 2, 3, 4}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const auto training =
          train_light_gcn(graph, held_out, options, distributed::cpu_place(communicator), nullptr);
      EXPECT_EQ(training.embeddings, expected.embeddings) << ranks;
      EXPECT_EQ(training.epochs.back().loss, expected.epochs.back().loss) << ranks;
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, LightGcnBatches, ::testing::Values(64, 16));

// All items but each user's own one: on two ranks everybody needs everything and rows are gathered.
// A user with most of the edges leaves other ranks without rows.
TEST(TrainLightGcn, BitsDoNotDependOnRanksWhereRowsAreGatheredOrMissing) {
  data::EdgeList dense, star;
  for (std::int32_t u = 0; u < 10; ++u) {
    for (std::int32_t i = 0; i < 10; ++i) {
      if (i != u) dense.add(u, i);
    }
    star.add(u, u);
  }
  for (std::int32_t i = 0; i < 60; ++i) star.add(0, i);
  auto options = small_options();
  options.epochs = 2;
  options.reg_weight = 0.01;
  options.batch_size = 5;
  for (const auto& graph : {make_csr_graph(dense, 10, 10), make_csr_graph(star, 10, 61)}) {
    const auto nothing = data::make_csr_graph({}, graph.users, graph.items);
    distributed::LocalCommunicator local;
    const auto expected =
        train_light_gcn(graph, nothing, options, distributed::cpu_place(local), nullptr);
    for (const int ranks : {2, 3, 7}) {
      distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
        const auto place = distributed::cpu_place(communicator);
        const auto training = train_light_gcn(graph, nothing, options, place, nullptr);
        EXPECT_EQ(training.embeddings, expected.embeddings) << ranks;
        const LightGcnStep step(adjacency_of(graph), options, place);
        if (ranks == 2 && graph.items == 10) {
          EXPECT_FALSE(step.exchange().by_halo());
        }
      });
    }
  }
}

// docs/parallelism.md: what a rank sends in one step.
TEST(LightGcnStep, SendsTheBytesOfTheTable) {
  const auto adjacency = adjacency_of(Groups().train_graph());
  auto options = small_options();
  options.layers = 3;
  const std::uint64_t width = 8;
  const Triples few{{0, 1, 2}, {60, 61, 64}, {61, 66, 99}};
  Triples many;
  for (std::int32_t b = 0; b < 40; ++b) {
    many.users.push_back(b);
    many.positives.push_back(60 + b);
    many.negatives.push_back(99 - b);
  }
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    LightGcnStep step(adjacency, options, distributed::cpu_place(communicator));
    const std::uint64_t fills = (2 * 3 - 1) * step.exchange().bytes_per_fill();
    const std::uint64_t own = step.exchange().own_nodes().size();
    EXPECT_TRUE(step.exchange().by_halo());
    step.begin(2);
    const std::uint64_t at_start = communicator.bytes_sent();
    step.run(few.batch());
    const std::uint64_t after_few = communicator.bytes_sent();
    EXPECT_EQ(after_few - at_start, fills + 3 * 3 * width * 4 + 3 * 3 * 4);
    step.run(many.batch());
    EXPECT_EQ(communicator.bytes_sent() - after_few, fills + own * width * 4 + 3 * 40 * 4);
  });
}

// Without layers the model is a matrix factorisation: only the final rows of a batch move.
TEST(LightGcnStep, SendsNoRowsBetweenLayersWhereThereAreNone) {
  const auto adjacency = adjacency_of(Groups().train_graph());
  auto options = small_options();
  options.layers = 0;
  const Triples few{{0, 1, 2}, {60, 61, 64}, {61, 66, 99}};
  const auto run = [&](distributed::Communicator& communicator) {
    LightGcnStep step(adjacency, options, distributed::cpu_place(communicator));
    step.begin(2);
    const std::uint64_t at_start = communicator.bytes_sent();
    step.run(few.batch());
    step.run(few.batch());
    EXPECT_EQ(communicator.bytes_sent() - at_start,
              communicator.size() == 1 ? 0U : 2U * (3 * 3 * 8 * 4 + 3 * 3 * 4));
    std::vector<float> vectors;
    step.embeddings(vectors);
    return vectors;
  };
  distributed::LocalCommunicator local;
  const std::vector<float> alone = run(local);
  distributed::run_thread_ranks(
      3, [&](distributed::Communicator& communicator) { EXPECT_EQ(run(communicator), alone); });
}

TEST(TrainLightGcn, RefusesAGraphWithoutTrainableEdges) {
  data::EdgeList edges;
  edges.add(0, 0);
  const auto full = make_csr_graph(edges, 1, 1);
  distributed::LocalCommunicator communicator;
  EXPECT_THROW(train_light_gcn(full, data::make_csr_graph({}, 1, 1), small_options(),
                               distributed::cpu_place(communicator), nullptr),
               Error);
}

TEST(TrainLightGcn, VectorsThatAreNotFiniteAreNoResult) {
  const Groups groups;
  auto options = small_options();
  options.epochs = 1;
  options.batch_size = 1 << 20;  // one step: its loss is that of the vectors before the update
  options.learning_rate = 1e45;
  distributed::LocalCommunicator communicator;
  rallrec::testing::expect_error(ExitCode::kNonFinite, "trained vectors are not finite", [&] {
    train_light_gcn(groups.train_graph(), data::make_csr_graph({}, 60, 40), options,
                    distributed::cpu_place(communicator), nullptr);
  });
}

}  // namespace
}  // namespace rallrec::train
