// The decoder on GPUs against the same decoder on the CPU: in the host SIMT build ranks are threads
// with a simulated GPU each, and NCCL is its stand-in. The CPU's is compared with the engine that
// ships on CPUs, and so with autograd in double, by device_weights_test.cc.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/place.h"
#include "distributed/thread_communicator.h"
#include "tests/models/llm/device_model.h"
#include "tests/models/llm/tiny_config.h"
#include "tests/support/device/test_device.h"
#include "tests/support/expect_error.h"

namespace rallrec::models::llm {
namespace {

constexpr DropoutKey kKey{3, 2};

std::vector<std::int64_t> ids_of(std::int64_t count, std::uint64_t stream) {
  Rng rng(11, stream);
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int64_t>(rng.next_below(53)));
  }
  return ids;
}

// Sequences of these lengths, each with labels on its last two positions.
MicroBatch micro_batch(const std::vector<std::int64_t>& lengths, std::uint64_t stream) {
  MicroBatch made;
  made.batch.offsets = {0};
  for (const std::int64_t length : lengths) {
    const auto ids = ids_of(length, stream * 10 + made.samples.size());
    made.batch.ids.insert(made.batch.ids.end(), ids.begin(), ids.end());
    made.batch.offsets.push_back(made.batch.tokens());
    made.samples.push_back(static_cast<std::int64_t>(stream * 100 + made.samples.size() * 7));
    for (std::int64_t i = std::max<std::int64_t>(0, length - 2); i < length; ++i) {
      made.label_positions.push_back(made.batch.tokens() - length + i);
    }
  }
  made.label_ids = ids_of(static_cast<std::int64_t>(made.label_positions.size()), stream + 70);
  return made;
}

struct Labelled {
  std::vector<std::vector<float>> losses;     // of micro-batches, with dropout
  std::vector<std::vector<float>> gradients;  // of micro-batches
  std::vector<std::vector<float>> plain;      // label losses without dropout
};

struct Outcome {
  Labelled labelled;
  std::vector<float> hidden, mean, last, chosen, logits, two_logits;
  std::vector<std::vector<std::int64_t>> texts;
};

struct Case {
  QuantMode mode;
  bool recompute;  // nothing is kept, so each micro-batch is a wave of its own
};

LoraOptions lora_options() { return {3, 6.0, 0.25, {"q_proj", "v_proj", "down_proj"}}; }

std::vector<MicroBatch> two_batches() { return {micro_batch({17, 1, 9}, 1), micro_batch({30}, 2)}; }

Labelled run_labelled(LlamaDecoder& decoder, const LoraWeights& lora,
                      const std::vector<MicroBatch>& batches) {
  Labelled labelled;
  decoder.forward_backward(batches, lora, kKey, 0.5, [&](const LlamaDecoder::Result& result) {
    labelled.losses.push_back(result.label_losses);
    labelled.gradients.push_back(result.gradient.host());
  });
  labelled.plain = decoder.label_losses(batches, &lora);
  return labelled;
}

std::vector<float> pooled(LlamaDecoder& decoder, const PackedBatch& batch, kernels::Pooling pooling,
                          const LoraWeights* lora) {
  const std::int64_t width = decoder.config().hidden_size;
  DeviceArray<float> memory(decoder.queue(), "a test");
  memory.resize(static_cast<std::size_t>(batch.sequences() * width));
  decoder.pooled_states(batch, pooling, lora, {memory.data(), batch.sequences(), width});
  return memory.host();
}

// Everything that a decoder is asked for.
Outcome run(LlamaDecoder decoder, bool recompute) {
  const LoraLayout layout(decoder.config(), lora_options());
  DeviceArray<float> adapter(decoder.queue(), "a test",
                             normal_floats(layout.parameters(), 0.2, 0.0, 99));
  const LoraWeights lora{layout, adapter.data()};
  if (recompute) {
    decoder.set_kept_bytes(1);
  }
  Outcome outcome;
  outcome.labelled = run_labelled(decoder, lora, two_batches());

  const std::int64_t width = decoder.config().hidden_size;
  const PackedBatch batch = two_batches().front().batch;
  DeviceArray<float> memory(decoder.queue(), "a test");
  memory.resize(static_cast<std::size_t>(batch.tokens() * width));
  const Rows hidden{memory.data(), batch.tokens(), width};
  decoder.hidden_states(batch, nullptr, hidden);
  outcome.hidden = memory.host();
  const Rows two = hidden.part(3, 2);
  outcome.logits.resize(static_cast<std::size_t>(2 * decoder.config().vocab_size));
  decoder.weights().begin(Turn::kLogits);
  decoder.weights().head().logits(two, {outcome.logits.data(), 2, decoder.config().vocab_size});
  outcome.two_logits.resize(4);
  decoder.weights().begin(Turn::kLogitsOf);
  decoder.weights().head().logits_of(two, {7, 50}, {outcome.two_logits.data(), 2, 2});

  outcome.mean = pooled(decoder, batch, kernels::Pooling::kMean, &lora);
  outcome.last = pooled(decoder, batch, kernels::Pooling::kLast, nullptr);

  PackedBatch shared = batch;
  shared.first_is_prefix = true;
  memory.resize(static_cast<std::size_t>(3 * width));
  decoder.hidden_states_at(shared, {4, 17, 26}, &lora, {memory.data(), 3, width});
  outcome.chosen = memory.host();

  GenerationOptions options;
  options.max_new_tokens = 3;
  const std::vector<std::int64_t> start = ids_of(6, 40);
  std::vector<GenerationPrompt> prompts;
  for (std::uint64_t p = 0; p < 2; ++p) {
    prompts.push_back({start, p});
    const auto own = ids_of(4 + static_cast<std::int64_t>(p), 50 + p);
    prompts.back().ids.insert(prompts.back().ids.end(), own.begin(), own.end());
  }
  outcome.texts = decoder.generate(prompts, options, &lora);
  return outcome;
}

double largest(const std::vector<float>& values) {
  double most = 0.0;
  for (const float value : values) {
    most = std::max(most, std::abs(double(value)));
  }
  return most;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want, double tolerance,
                 const char* what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  const double scale = largest(want);
  EXPECT_GT(scale, 0.0) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance * scale) << what << " " << i;
  }
}

void expect_same(const Outcome& got, const Outcome& want, double tolerance) {
  const Labelled& one = got.labelled;
  const Labelled& other = want.labelled;
  ASSERT_EQ(one.losses.size(), other.losses.size());
  for (std::size_t i = 0; i < other.losses.size(); ++i) {
    expect_near(one.losses[i], other.losses[i], tolerance, "losses");
    expect_near(one.gradients[i], other.gradients[i], tolerance, "gradient");
    expect_near(one.plain[i], other.plain[i], tolerance, "losses without dropout");
  }
  expect_near(got.hidden, want.hidden, tolerance, "hidden states");
  expect_near(got.mean, want.mean, tolerance, "mean hidden states");
  expect_near(got.last, want.last, tolerance, "last hidden states");
  expect_near(got.chosen, want.chosen, tolerance, "chosen hidden states");
  expect_near(got.logits, want.logits, tolerance, "logits");
  expect_near(got.two_logits, want.two_logits, tolerance, "two logits");
  EXPECT_EQ(got.texts, want.texts);
}

// The bits that int8 and bf16 round to may be other ones where a sum's last bit is.
double tolerance_of(QuantMode mode) { return mode == QuantMode::kFloat32 ? 2e-5 : 2e-2; }

class DecoderOnDevice : public rallrec::testing::DeviceTest<Case> {};

TEST_P(DecoderOnDevice, GivesWhatTheCpuGives) {
  const DeviceModel model = make_device_model(tiny_config());
  distributed::LocalCommunicator communicator;
  const auto [mode, recompute] = shape();
  const Outcome want = run(model.load(mode, distributed::cpu_place(communicator)), false);
  const auto owner = distributed::make_place({"cuda"}, communicator);
  expect_same(run(model.load(mode, owner->place()), recompute), want, tolerance_of(mode));
}

INSTANTIATE_TEST_SUITE_P(Modes, DecoderOnDevice,
                         ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                                            ::testing::Values(Case{QuantMode::kFloat32, false},
                                                              Case{QuantMode::kFloat32, true},
                                                              Case{QuantMode::kBfloat16, false},
                                                              Case{QuantMode::kW8a8, false},
                                                              Case{QuantMode::kW8a16, false},
                                                              Case{QuantMode::kLlmInt8, false})),
                         rallrec::testing::device_and_number<DecoderOnDevice::ParamType>);

// Layers that travel give the bits of layers that stay.
class SharedLayers : public rallrec::testing::DeviceTest<int> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && rallrec::testing::gpu_count() < shape()) {
      GTEST_SKIP() << "there are fewer GPUs than ranks";
    }
  }
};

TEST_P(SharedLayers, GiveTheBitsOfWholeOnes) {
  const DeviceModel model = make_device_model(tiny_config());
  distributed::LocalCommunicator alone;
  const LoraLayout layout(model.config, lora_options());
  const auto labelled = [&](const distributed::Place& place, bool share) {
    LlamaDecoder decoder = model.load(QuantMode::kW8a8, place, share);
    DeviceArray<float> adapter(decoder.queue(), "a test",
                               normal_floats(layout.parameters(), 0.2, 0.0, 99));
    return run_labelled(decoder, {layout, adapter.data()}, {two_batches().front()});
  };
  const Labelled want = labelled(distributed::make_place({"cuda"}, alone)->place(), false);
  distributed::run_thread_ranks(shape(), [&](distributed::Communicator& host) {
    const auto owner = distributed::make_place({"cuda"}, host);
    const Labelled got = labelled(owner->place(), true);
    EXPECT_EQ(got.losses, want.losses);
    EXPECT_EQ(got.gradients, want.gradients);
    EXPECT_EQ(got.plain, want.plain);
  });
}

// A rank without work takes part in the gathers of the others.
TEST_P(SharedLayers, ServeRanksThatHaveOtherWork) {
  const DeviceModel model = make_device_model(tiny_config());
  const MicroBatch batch = micro_batch({8, 3}, 1);
  const LoraLayout layout(model.config, lora_options());
  std::vector<std::vector<float>> losses(static_cast<std::size_t>(shape()));
  distributed::run_thread_ranks(shape(), [&](distributed::Communicator& host) {
    const auto owner = distributed::make_place({"cuda"}, host);
    LlamaDecoder decoder = model.load(QuantMode::kW8a8, owner->place(), true);
    DeviceArray<float> adapter(decoder.queue(), "a test",
                               normal_floats(layout.parameters(), 0.2, 0.0, 99));
    const bool works = host.rank() == host.size() - 1;
    const std::vector<MicroBatch> mine = works ? std::vector{batch} : std::vector<MicroBatch>{};
    decoder.forward_backward(mine, {layout, adapter.data()}, kKey, 1.0,
                             [&](const LlamaDecoder::Result& result) {
                               losses[static_cast<std::size_t>(host.rank())] = result.label_losses;
                             });
    DeviceArray<float> memory(decoder.queue(), "a test");
    memory.resize(static_cast<std::size_t>(11 * model.config.hidden_size));
    if (works) {
      decoder.hidden_states(batch.batch, nullptr, {memory.data(), 11, model.config.hidden_size});
    }
    decoder.weights().begin(Turn::kNone);
    EXPECT_GE(decoder.weights().gathered().layers, 2 * model.config.layers);
  });
  EXPECT_EQ(losses.back().size(), batch.label_ids.size());
  EXPECT_EQ(losses.front().size(), shape() == 1 ? batch.label_ids.size() : 0U);
}

// The queue goes on with whatever lies in the buffers: the host must not take it for a result.
TEST_P(SharedLayers, ThatDidNotArriveAreToldAfterTheResult) {
  const DeviceModel model = make_device_model(tiny_config());
  const PackedBatch batch = micro_batch({8, 3}, 1).batch;
  distributed::run_thread_ranks(shape(), [&](distributed::Communicator& host) {
    const auto owner = distributed::make_place({"cuda"}, host);
    LlamaDecoder decoder = model.load(QuantMode::kW8a8, owner->place(), true);
    DeviceArray<float> memory(decoder.queue(), "a test");
    memory.resize(static_cast<std::size_t>(11 * model.config.hidden_size));
    decoder.hidden_states(batch, nullptr, {memory.data(), 11, model.config.hidden_size});
    memory.host();
    EXPECT_NO_THROW(decoder.weights().confirm());
    host.barrier();
    owner->place().device.abort();
    EXPECT_THROW(decoder.weights().confirm(), Error);
  });
}

INSTANTIATE_TEST_SUITE_P(Ranks, SharedLayers,
                         ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                                            ::testing::Values(3)),
                         rallrec::testing::device_and_number<SharedLayers::ParamType>);

TEST(DeviceWeights, RefuseOddWidthsInInt8) {
  LlmConfig config = tiny_config();
  config.intermediate_size = 41;
  const DeviceModel model = make_device_model(config);
  distributed::LocalCommunicator communicator;
  rallrec::testing::expect_error(ExitCode::kUsage, "down_proj", [&] {
    model.load(QuantMode::kW8a8, distributed::cpu_place(communicator));
  });
}

}  // namespace
}  // namespace rallrec::models::llm
