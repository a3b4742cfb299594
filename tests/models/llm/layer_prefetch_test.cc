// The next layer is on its way while a layer computes, so that a slow link costs little.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "core/stopwatch.h"
#include "distributed/thread_communicator.h"
#include "distributed/throttled_communicator.h"
#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

using distributed::ThrottledCommunicator;
using std::chrono::microseconds;

LlmConfig deep_config() {
  LlmConfig config = tiny_config();
  config.layers = 24;
  return config;
}

// Counted, not timed: a gather is two collectives, panels and scales.
TEST(LayerPrefetch, TheNextLayerIsOnItsWayBeforeALayerComputes) {
  const TinyModel tiny = make_tiny(deep_config());
  const std::int64_t layers = tiny.config.layers;
  distributed::run_thread_ranks(2, [&](distributed::Communicator& inner) {
    ThrottledCommunicator communicator(inner, {});
    const auto store =
        make_weights(tiny.config, QuantMode::kW8a8, tiny.source(), {}, &communicator);
    int gathers = 0;
    const auto expect = [&](bool next) {
      // All that this layer needs was waited for; what the next one needs was started and not.
      gathers += next ? 1 : 0;
      EXPECT_EQ(communicator.started(), 2 * gathers);
      EXPECT_EQ(communicator.waited(), 2 * (gathers - (next ? 1 : 0)));
    };
    gathers = 1;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      store->layer(layer, layer + 1);
      expect(layer + 1 < layers);
    }
    for (std::int64_t layer = layers - 1; layer >= 0; --layer) {
      store->layer(layer, layer - 1);
      // The last two layers are at hand.
      expect(layer >= 1 && layer < layers - 1);
    }
  });
}

double seconds_of_a_pass(const TinyModel& tiny, microseconds compute, microseconds delay,
                         double& waited) {
  double seconds = 0.0;
  distributed::run_thread_ranks(2, [&](distributed::Communicator& inner) {
    ThrottledCommunicator communicator(inner, {delay / 2, 0.0});
    const auto store =
        make_weights(tiny.config, QuantMode::kW8a8, tiny.source(), {}, &communicator);
    const Stopwatch watch;
    for (std::int64_t layer = 0; layer < tiny.config.layers; ++layer) {
      store->layer(layer, layer + 1);
      std::this_thread::sleep_for(compute);
    }
    if (communicator.rank() == 0) {
      seconds = watch.seconds();
      waited = store->gathered().waited_seconds;
    }
  });
  return seconds;
}

// Gathers of 4 ms beside 6 ms of computing: one of 24 can be seen, the first. The bound is half of
// what they would cost in a row; a busy machine computes longer and waits less.
TEST(LayerPrefetch, AThrottledLinkIsHiddenBehindComputing) {
  const TinyModel tiny = make_tiny(deep_config());
  double waited = 0.0;
  const double free = seconds_of_a_pass(tiny, microseconds(6000), microseconds(0), waited);
  const double throttled = seconds_of_a_pass(tiny, microseconds(6000), microseconds(4000), waited);
  std::printf(
      "24 layers of 6 ms: %.1f ms, with gathers of 4 ms %.1f ms (%+.1f %%), %.1f ms waited\n",
      free * 1e3, throttled * 1e3, 100.0 * (throttled / free - 1.0), waited * 1e3);
  EXPECT_GE(waited, 0.003);
  EXPECT_LT(waited, 0.5 * 24 * 0.004);
  const double slow = seconds_of_a_pass(tiny, microseconds(1000), microseconds(8000), waited);
  EXPECT_GT(slow, 24 * 0.008 * 0.9) << "a link slower than computing cannot be hidden";
}

}  // namespace
}  // namespace rallrec::models::llm
