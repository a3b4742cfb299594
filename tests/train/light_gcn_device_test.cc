// The training of LightGCN on GPUs against the one on the CPU: in the host SIMT build ranks are
// threads with a simulated GPU each, and NCCL is its stand-in.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "models/graph/adjacency.h"
#include "tests/support/device/test_device.h"
#include "train/light_gcn_step.h"
#include "train/light_gcn_trainer.h"
#include "train/light_gcn_triples.h"

namespace rallrec::train {
namespace {

constexpr std::int32_t kUsers = 23;
constexpr std::int32_t kItems = 31;
constexpr std::int64_t kWidth = 6;

struct Graphs {
  data::CsrGraph train, held_out;
};

// Users and items of one parity belong together, by `share` of six edges; the last user has every
// item, the one before none. With 3 Ã is full enough to be a bitmap on a GPU, with 1 it is not.
Graphs small_graphs(std::int32_t share) {
  data::EdgeList train, held_out;
  for (std::int32_t u = 0; u + 2 < kUsers; ++u) {
    for (std::int32_t i = u % 2; i < kItems; i += 2) {
      const std::int32_t draw = (u * 7 + i * 5 + u * i) % 6;
      if (draw < share) {
        train.add(u, i);
      } else if (draw == share) {
        held_out.add(u, i);
      }
    }
  }
  for (std::int32_t i = 0; i < kItems; ++i) {
    train.add(kUsers - 1, i);
  }
  return {make_csr_graph(train, kUsers, kItems), make_csr_graph(held_out, kUsers, kItems)};
}

config::LightGcnOptions small_options() {
  config::LightGcnOptions options;
  options.embedding_size = kWidth;
  options.layers = 2;
  options.batch_size = 50;
  options.epochs = 4;
  options.learning_rate = 0.01;
  options.reg_weight = 1e-3;
  options.evaluate_every = 2;
  return options;
}

LightGcnTraining train_on_cpu(const Graphs& graphs, const config::LightGcnOptions& options) {
  distributed::LocalCommunicator communicator;
  return train_light_gcn(graphs.train, graphs.held_out, options,
                         distributed::cpu_place(communicator), nullptr);
}

struct Case {
  int ranks;
  std::int32_t share;
};

// Without a GPU for each rank the test is skipped.
class LightGcnOnGpus : public rallrec::testing::DeviceTest<Case> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && rallrec::testing::gpu_count() < shape().ranks) {
      GTEST_SKIP() << "there are fewer GPUs than ranks";
    }
  }
  // Calls body(place, rank) on ranks with a GPU each.
  template <typename Body>
  void on_ranks(const Body& body) {
    distributed::run_thread_ranks(shape().ranks, [&](distributed::Communicator& host) {
      const auto owner = distributed::make_place({"cuda"}, host);
      body(owner->place());
    });
  }
};

TEST_P(LightGcnOnGpus, TrainAsTheCpuDoes) {
  const Graphs graphs = small_graphs(shape().share);
  const auto options = small_options();
  const LightGcnTraining expected = train_on_cpu(graphs, options);
  on_ranks([&](const distributed::Place& place) {
    const auto got = train_light_gcn(graphs.train, graphs.held_out, options, place, nullptr);
    ASSERT_EQ(got.epochs.size(), expected.epochs.size());
    for (std::size_t e = 0; e < expected.epochs.size(); ++e) {
      EXPECT_NEAR(got.epochs[e].loss, expected.epochs[e].loss, 1e-6 * expected.epochs[e].loss) << e;
      EXPECT_NEAR(got.epochs[e].valid_recall, expected.epochs[e].valid_recall, 1e-12) << e;
    }
    EXPECT_EQ(got.best_epoch, expected.best_epoch);
    ASSERT_EQ(got.embeddings.size(), expected.embeddings.size());
    for (std::size_t i = 0; i < expected.embeddings.size(); ++i) {
      ASSERT_NEAR(got.embeddings[i], expected.embeddings[i], 1e-5) << i;
    }
  });
  // It learned, so that equal results are results.
  EXPECT_LT(expected.epochs.back().loss, 0.99 * expected.epochs.front().loss);
}

TEST_P(LightGcnOnGpus, TakeTheCpusNegatives) {
  const Graphs graphs = small_graphs(shape().share);
  LightGcnTriples on_cpu(graphs.train, 42, {});
  on_cpu.start(3);
  const auto expected = on_cpu.batch(0, on_cpu.size());
  on_ranks([&](const distributed::Place& place) {
    LightGcnTriples triples(graphs.train, 42, place.queue);
    ASSERT_EQ(triples.size(), on_cpu.size());
    triples.start(3);
    const auto batch = triples.batch(0, triples.size());
    const auto count = static_cast<std::size_t>(batch.count);
    for (const auto& [got, want] :
         {std::pair{batch.users, expected.users}, std::pair{batch.positives, expected.positives},
          std::pair{batch.negatives, expected.negatives}}) {
      std::vector<std::int32_t> values(count);
      copy_to_host(place.queue, values.data(), got, count * sizeof(std::int32_t));
      EXPECT_EQ(values, std::vector<std::int32_t>(want, want + count));
    }
  });
}

// One update without what Adam makes of a gradient: the first moment after one step is a tenth of
// it, so that vectors alone would hide its size.
TEST_P(LightGcnOnGpus, StepForwardAndBackwardAsTheCpuDoes) {
  const Graphs graphs = small_graphs(shape().share);
  auto options = small_options();
  options.layers = 3;
  const auto adjacency =
      models::normalised_adjacency({graphs.train.user_offsets, graphs.train.user_items},
                                   {graphs.train.item_offsets, graphs.train.item_users});
  // layer0: [nodes, width], NaN in rows that the rank does not hold.
  const auto run = [&](const distributed::Place& place, std::vector<float>& layer0,
                       std::vector<float>& embeddings) {
    LightGcnTriples triples(graphs.train, 7, place.queue);
    LightGcnStep step(adjacency, options, place);
    triples.start(1);
    step.begin(2);
    const std::int64_t half = triples.size() / 2;
    step.run(triples.batch(0, half));
    step.run(triples.batch(half, half + 1));
    const double loss = step.loss();
    const std::vector<float> held = step.layer0().host();
    const auto& nodes = step.exchange().nodes();
    layer0.assign(static_cast<std::size_t>(adjacency.nodes() * kWidth), NAN);
    for (std::size_t row = 0; row < nodes.size(); ++row) {
      std::copy_n(held.begin() + static_cast<std::ptrdiff_t>(row) * kWidth, kWidth,
                  layer0.begin() + nodes[row] * kWidth);
    }
    step.embeddings(embeddings);
    return loss;
  };
  std::vector<float> layer0, embeddings;
  distributed::LocalCommunicator communicator;
  const double loss = run(distributed::cpu_place(communicator), layer0, embeddings);
  on_ranks([&](const distributed::Place& place) {
    std::vector<float> got_layer0, got;
    EXPECT_NEAR(run(place, got_layer0, got), loss, 1e-6 * loss);
    ASSERT_EQ(got.size(), embeddings.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (!std::isnan(got_layer0[i])) {
        ASSERT_NEAR(got_layer0[i], layer0[i], 1e-5) << i;
      }
      ASSERT_NEAR(got[i], embeddings[i], 1e-5) << i;
    }
  });
}

TEST_P(LightGcnOnGpus, ABitmapIsTakenOfTheFullGraphAlone) {
  const Graphs graphs = small_graphs(shape().share);
  const auto adjacency =
      models::normalised_adjacency({graphs.train.user_offsets, graphs.train.user_items},
                                   {graphs.train.item_offsets, graphs.train.item_users});
  on_ranks([&](const distributed::Place& place) {
    const models::LightGcn model(adjacency, 2, kWidth, place);
    EXPECT_EQ(model.by_bitmap(), shape().share == 3);
  });
  distributed::LocalCommunicator communicator;
  EXPECT_FALSE(
      models::LightGcn(adjacency, 2, kWidth, distributed::cpu_place(communicator)).by_bitmap());
}

INSTANTIATE_TEST_SUITE_P(Ranks, LightGcnOnGpus,
                         ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                                            ::testing::Values(Case{1, 3}, Case{2, 3}, Case{1, 1},
                                                              Case{3, 1})),
                         rallrec::testing::device_and_number<LightGcnOnGpus::ParamType>);

}  // namespace
}  // namespace rallrec::train
