#include "train/projector_trainer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/thread_count_guard.h"
#include "tests/train/alignment_data.h"
#include "train/epoch_order.h"

namespace rallrec::train {
namespace {

using rallrec::testing::align_options;
using rallrec::testing::AlignmentData;
using rallrec::testing::projector_shape;

TEST(AlignmentBounds, HasTheWorkedValues) {
  const AlignmentBounds bounds = alignment_bounds(3952, 1.0);
  EXPECT_NEAR(bounds.chance, 16.56, 5e-3);
  EXPECT_NEAR(bounds.lowest, 14.56, 5e-3);
  EXPECT_NEAR(alignment_bounds(2, 1.0).chance, 1.3863, 5e-5);
}

using Matrix = std::vector<std::vector<double>>;

void make_unit(std::vector<double>& row) {
  double squares = 0.0;
  for (const double value : row) {
    squares += value * value;
  }
  for (double& value : row) {
    value /= std::sqrt(squares);
  }
}

// z of every item in double, with a relu between the layers, by the order of the parameters.
Matrix projected(const std::vector<float>& parameters, const AlignmentData& data,
                 std::int64_t hidden) {
  constexpr std::int64_t kIn = AlignmentData::kText, kOut = AlignmentData::kGraph;
  const float* b1 = parameters.data() + hidden * kIn;
  const float* w2 = b1 + hidden;
  const float* b2 = w2 + kOut * hidden;
  Matrix rows;
  for (std::size_t row = 0; row < data.text.size(); row += kIn) {
    std::vector<double> z(b2, b2 + kOut);
    for (std::int64_t h = 0; h < hidden; ++h) {
      double sum = b1[h];
      for (std::int64_t i = 0; i < kIn; ++i) {
        sum += double{parameters[h * kIn + i]} * data.text[row + i];
      }
      for (std::int64_t o = 0; o < kOut && sum > 0.0; ++o) {
        z[o] += w2[o * hidden + h] * sum;
      }
    }
    rows.push_back(z);
  }
  return rows;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    sum += a[k] * b[k];
  }
  return sum;
}

// Eq. 5 over the full matrix of scores, in double.
double loss_of(const std::vector<float>& parameters, const AlignmentData& data,
               const config::AlignOptions& options) {
  Matrix x = projected(parameters, data, options.hidden_size), y;
  for (std::size_t i = 0; i < x.size(); ++i) {
    make_unit(x[i]);
    const auto graph = data.graph.begin() + static_cast<std::int64_t>(i) * AlignmentData::kGraph;
    y.emplace_back(graph, graph + AlignmentData::kGraph);
    make_unit(y[i]);
  }
  double loss = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    double row = 0.0, column = 0.0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      row += std::exp(dot(x[i], y[j]) / options.temperature);
      column += std::exp(dot(x[j], y[i]) / options.temperature);
    }
    loss += std::log(row) + std::log(column) - 2.0 * dot(x[i], y[i]) / options.temperature;
  }
  return loss / static_cast<double>(x.size());
}

struct Trained {
  std::vector<float> parameters, rows;
  std::vector<double> losses;
};

Trained train(const AlignmentData& data, const config::AlignOptions& options,
              const distributed::Place& place) {
  models::Projector projector(projector_shape(options), 4, place.queue);
  Trained result;
  result.losses = train_projector(projector, data.text, data.graph, options, place, nullptr);
  result.parameters = projector.parameters().host();
  result.rows = project_rows(projector, data.text, place);
  return result;
}

Trained train_alone(const AlignmentData& data, const config::AlignOptions& options) {
  distributed::LocalCommunicator communicator;
  return train(data, options, distributed::cpu_place(communicator));
}

// Adam's first step moves a parameter by the learning rate against the sign of its slope.
TEST(TrainProjector, FirstStepIsAdamOnTheWholeLoss) {
  const auto data = rallrec::testing::unrelated_items(70, 2);
  const auto options = align_options(1, 0.5);
  auto start = models::Projector(projector_shape(options), 4, {}).parameters().host();
  const Trained trained = train_alone(data, options);
  EXPECT_NEAR(trained.losses[0], loss_of(start, data, options), 1e-5);
  int compared = 0;
  for (std::size_t i = 0; i < start.size(); i += 3) {
    const float before = start[i];
    start[i] = before + 1e-3F;
    const double above = loss_of(start, data, options);
    start[i] = before - 1e-3F;
    const double slope = (above - loss_of(start, data, options)) / 2e-3;
    start[i] = before;
    if (std::fabs(slope) > 1e-4) {
      ++compared;
      ASSERT_NEAR(trained.parameters[i] - before, slope > 0 ? -0.01 : 0.01, 1e-4) << i;
    }
  }
  EXPECT_GT(compared, 150);
}

// Three batches of 30 of 100 items: each step's loss is that of its items alone, no item comes
// twice in an epoch, and the next epoch has another order.
TEST(TrainProjector, BatchesAreOfAnOrderPerEpoch) {
  const auto data = rallrec::testing::unrelated_items(100, 2);
  auto options = align_options(4, 0.5);
  options.batch_size = 30;
  options.learning_rate = 1e-30;  // the parameters stay
  const auto start = models::Projector(projector_shape(options), 4, {}).parameters().host();
  const Trained trained = train_alone(data, options);
  ASSERT_EQ(trained.losses.size(), 4U);
  for (std::size_t step = 0; step < 4; ++step) {
    const auto order =
        epoch_order<std::int64_t>(100, static_cast<std::uint64_t>(options.seed), step < 3 ? 1 : 2);
    AlignmentData batch;
    for (std::size_t i = 0; i < 30; ++i) {
      const std::int64_t item = order[step % 3 * 30 + i];
      const auto text = data.text.begin() + item * AlignmentData::kText;
      const auto graph = data.graph.begin() + item * AlignmentData::kGraph;
      batch.text.insert(batch.text.end(), text, text + AlignmentData::kText);
      batch.graph.insert(batch.graph.end(), graph, graph + AlignmentData::kGraph);
    }
    EXPECT_NEAR(trained.losses[step], loss_of(start, batch, options), 1e-5) << step;
  }
}

TEST(TrainProjector, LearnsAMapThatExists) {
  const auto data = rallrec::testing::related_items(200, 5);
  const auto options = align_options(150, 0.2);
  const Trained trained = train_alone(data, options);
  ASSERT_EQ(trained.losses.size(), 150u);
  const AlignmentBounds bounds = alignment_bounds(200, 0.2);
  EXPECT_GT(trained.losses.front(), 0.9 * bounds.chance);
  EXPECT_LT(trained.losses.back(), 0.6 * bounds.chance);
  EXPECT_GT(trained.losses.back(), bounds.lowest);
  const Matrix z = projected(trained.parameters, data, options.hidden_size);
  double cosines = 0.0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i) * AlignmentData::kGraph;
    const std::vector<double> graph(data.graph.begin() + at,
                                    data.graph.begin() + at + AlignmentData::kGraph);
    cosines += dot(z[i], graph) / std::sqrt(dot(z[i], z[i]) * dot(graph, graph));
    for (std::int64_t k = 0; k < AlignmentData::kGraph; ++k) {
      ASSERT_NEAR(trained.rows[at + k], z[i][k], 1e-4);
    }
  }
  EXPECT_GT(cosines / static_cast<double>(z.size()), 0.7);
}

// More steps than the host enqueues before it looks at losses.
TEST(TrainProjector, BitsDependNeitherOnRanksNorOnThreads) {
  const auto data = rallrec::testing::unrelated_items(143, 8);
  auto options = align_options(18, 1.0);
  for (const std::int64_t batch_size : {0, 70}) {
    options.batch_size = batch_size;
    const Trained expected = train_alone(data, options);
    for (const int ranks : {1, 2, 3, 4, 7}) {
      rallrec::testing::ThreadCountGuard threads(ranks % 3 + 1);
      distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
        const Trained got = train(data, options, distributed::cpu_place(communicator));
        EXPECT_EQ(got.losses, expected.losses) << ranks;
        EXPECT_EQ(got.parameters, expected.parameters) << ranks;
        EXPECT_EQ(got.rows, expected.rows) << ranks;
      });
    }
  }
}

// docs/parallelism.md: 16 blocks of 32 rows on two ranks, so that a rank has one whole subtree.
TEST(TrainProjector, SendsTheBytesOfTheTable) {
  const auto data = rallrec::testing::unrelated_items(512, 8);
  const auto options = align_options(3, 1.0);
  const auto parameters = static_cast<std::uint64_t>(projector_shape(options).parameters());
  distributed::run_thread_ranks(2, [&](distributed::Communicator& communicator) {
    train(data, options, distributed::cpu_place(communicator));
    const std::uint64_t per_step = 8 * 512 * 8 + parameters * 4;
    const std::uint64_t losses = 3 * 8 * 8;
    const std::uint64_t projected = 256 * AlignmentData::kGraph * 4;
    EXPECT_EQ(communicator.bytes_sent(), 3 * per_step + losses + projected);
  });
}

TEST(TrainProjector, TellsEveryStepInOrder) {
  const auto data = rallrec::testing::unrelated_items(40, 8);
  const auto options = align_options(20, 1.0);
  distributed::LocalCommunicator communicator;
  models::Projector projector(projector_shape(options), 4, {});
  std::vector<double> told;
  const auto losses =
      train_projector(projector, data.text, data.graph, options,
                      distributed::cpu_place(communicator), [&](std::int64_t step, double loss) {
                        told.push_back(loss);
                        EXPECT_EQ(step, static_cast<std::int64_t>(told.size()));
                      });
  EXPECT_EQ(told, losses);
}

TEST(TrainProjector, NamesTheStepWhoseLossIsNotFinite) {
  auto data = rallrec::testing::unrelated_items(40, 8);
  data.text[3] = NAN;
  try {
    train_alone(data, align_options(3, 1.0));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kNonFinite);
    EXPECT_NE(std::string(error.what()).find("the loss of step 1 is not finite"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace rallrec::train
