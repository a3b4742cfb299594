// Optimizer steps of tune on GPUs: in the host SIMT build ranks are threads with a simulated GPU
// each, which share an int8 base over the stand-in of NCCL. What each pass gives is compared with
// the CPU's by device_decoder_test.cc.
#include <gtest/gtest.h>

#include <cmath>

#include "distributed/local_communicator.h"
#include "distributed/partition.h"
#include "distributed/place.h"
#include "distributed/thread_communicator.h"
#include "distributed/tree_reduction.h"
#include "tests/models/llm/device_model.h"
#include "tests/support/device/test_device.h"
#include "train/adam.h"

namespace rallrec::train {
namespace {

using namespace models::llm;  // NOLINT(google-build-using-namespace): plain names of the engine

constexpr std::size_t kMicroBatches = 4;
constexpr std::uint64_t kSteps = 2;

LlmConfig small_config() {
  LlmConfig config;
  config.hidden_size = 16;
  config.intermediate_size = 24;
  config.layers = 3;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 4;
  config.vocab_size = 30;
  config.max_position = 64;
  return config;
}

// Two sequences, of which each has to predict its last token.
MicroBatch micro_batch(std::size_t number) {
  Rng rng(5, number);
  MicroBatch made;
  made.batch.offsets = {0};
  for (const std::int64_t length : {5 + static_cast<std::int64_t>(number), std::int64_t{3}}) {
    for (std::int64_t i = 0; i < length; ++i) {
      made.batch.ids.push_back(static_cast<std::int64_t>(rng.next_below(30)));
    }
    made.batch.offsets.push_back(made.batch.tokens());
    made.samples.push_back(static_cast<std::int64_t>(2 * number + made.samples.size()));
    made.label_positions.push_back(made.batch.tokens() - 2);
    made.label_ids.push_back(made.batch.ids.back());
  }
  return made;
}

struct Tuned {
  std::vector<float> first_gradient;
  std::vector<float> adapter;
};

// The steps as train/training_step.h takes them: micro-batches in order over the ranks, their
// gradients as leaves of the fixed tree, the update on every rank.
Tuned tune(LlamaDecoder decoder, distributed::Communicator& host) {
  const LoraLayout layout(decoder.config(), {2, 4.0, 0.2, {"q_proj", "v_proj"}});
  Tuned tuned;
  tuned.adapter = normal_floats(layout.parameters(), 0.2, 0.0, 99);
  Adam adam(layout.parameters());
  const distributed::Range mine =
      distributed::split_evenly(kMicroBatches, host.size(), host.rank());
  std::vector<MicroBatch> own;
  for (std::size_t i = mine.begin; i < mine.end; ++i) {
    own.push_back(micro_batch(i));
  }
  for (std::uint64_t step = 0; step < kSteps; ++step) {
    DeviceArray<float> adapter(decoder.queue(), "a test", tuned.adapter);
    distributed::TreeReduction reduction(kMicroBatches, mine, tuned.adapter.size());
    decoder.forward_backward(
        own, {layout, adapter.data()}, {7, step}, 1.0 / 8.0,
        [&](const LlamaDecoder::Result& result) { reduction.add(result.gradient.host().data()); });
    std::vector<float> gradient(tuned.adapter.size());
    reduction.finish(host, gradient.data());
    adam.step(tuned.adapter.data(), gradient.data(), 1e-2);
    if (step == 0) {
      tuned.first_gradient = gradient;
    }
  }
  return tuned;
}

Tuned tune_on_gpu(const DeviceModel& model, QuantMode mode, distributed::Communicator& host) {
  const auto owner = distributed::make_place({"cuda"}, host);
  return tune(model.load(mode, owner->place(), true), host);
}

class TuneOnGpus : public rallrec::testing::DeviceTest<int> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && rallrec::testing::gpu_count() < shape()) {
      GTEST_SKIP() << "there are fewer GPUs than ranks";
    }
  }
};

TEST_P(TuneOnGpus, StepsHaveTheBitsOfOneRankAndTheCpusGradient) {
  const DeviceModel model = make_device_model(small_config());
  distributed::LocalCommunicator alone;
  const Tuned on_cpu = tune(model.load(QuantMode::kW8a8, distributed::cpu_place(alone)), alone);
  const Tuned on_one = tune_on_gpu(model, QuantMode::kW8a8, alone);
  double apart = 0.0;
  double size = 0.0;
  for (std::size_t i = 0; i < on_cpu.first_gradient.size(); ++i) {
    apart += std::pow(on_one.first_gradient[i] - on_cpu.first_gradient[i], 2.0);
    size += std::pow(on_cpu.first_gradient[i], 2.0);
  }
  EXPECT_GT(size, 0.0);
  EXPECT_LT(std::sqrt(apart / size), 1e-2);
  EXPECT_NE(on_one.adapter,
            normal_floats(static_cast<std::int64_t>(on_one.adapter.size()), 0.2, 0.0, 99));
  distributed::run_thread_ranks(shape(), [&](distributed::Communicator& host) {
    const Tuned got = tune_on_gpu(model, QuantMode::kW8a8, host);
    EXPECT_EQ(got.first_gradient, on_one.first_gradient);
    EXPECT_EQ(got.adapter, on_one.adapter);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, TuneOnGpus,
                         ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                                            ::testing::Values(3)),
                         rallrec::testing::device_and_number<TuneOnGpus::ParamType>);

}  // namespace
}  // namespace rallrec::train
