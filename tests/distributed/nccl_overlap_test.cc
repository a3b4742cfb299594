// Gathering layer l + 1 under the compute of layer l, in the order that events alone give. Runs on
// the host SIMT build, whose streams can be held up at will and whose NCCL can be broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "distributed/peer_lost.h"
#include "distributed/profile_range.h"
#include "tests/distributed/nccl_ranks.h"
#include "tests/support/expect_error.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/nccl_communicator.h"
#include "tests/support/simt/ranges.h"

namespace rallrec::distributed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Values = CudaBuffer<float>;

constexpr int kRanks = 2;
constexpr std::size_t kShard = 300;
constexpr std::size_t kLayer = kRanks * kShard;
constexpr int kLayers = 6;

float weight(int layer, int rank) { return static_cast<float>(100 * layer + rank + 1); }

// A computation that lasts until the test lets it end.
class Gate {
 public:
  explicit Gate(cudaStream_t stream) {
    simt::Device::instance().enqueue(stream, std::make_unique<Closed>(open_));
  }
  ~Gate() { open(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  void open() {
    *open_ = true;
    simt::Device::instance().wake();
  }

 private:
  class Closed : public simt::Operation {
   public:
    explicit Closed(std::shared_ptr<std::atomic<bool>> open) : open_(std::move(open)) {}
    bool ready() override { return *open_; }
    bool step(simt::Random& /*random*/) override { return true; }

   private:
    std::shared_ptr<std::atomic<bool>> open_;
  };

  std::shared_ptr<std::atomic<bool>> open_ = std::make_shared<std::atomic<bool>>(false);
};

// What a rank of the sharded model holds.
struct Model {
  explicit Model(int rank) : shards(kShard * kLayers, "nothing"), results(kLayer * kLayers, "") {
    std::vector<float> mine;
    for (int layer = 0; layer < kLayers; ++layer) {
      mine.insert(mine.end(), kShard, weight(layer, rank));
    }
    cudaMemcpy(shards.get(), mine.data(), shards.bytes(), cudaMemcpyHostToDevice);
    buffers.emplace_back(kLayer, "nothing");
    buffers.emplace_back(kLayer, "nothing");
  }

  float* buffer(int layer) { return buffers[static_cast<std::size_t>(layer % 2)].get(); }
  Handle gather(NcclRank& rank, int layer) {
    return rank.nccl->all_gather_async(shards.get() + static_cast<std::size_t>(layer) * kShard,
                                       buffer(layer), kShard, DType::kFloat32);
  }
  // "Computes": keeps what the layer's buffer holds at that moment of the stream.
  void compute(NcclRank& rank, int layer) {
    cudaMemcpyAsync(results.get() + static_cast<std::size_t>(layer) * kLayer, buffer(layer),
                    kLayer * sizeof(float), cudaMemcpyDeviceToDevice, rank.compute.get());
  }
  std::vector<float> result() const {
    std::vector<float> values(results.count());
    cudaMemcpy(values.data(), results.get(), results.bytes(), cudaMemcpyDeviceToHost);
    return values;
  }

  Values shards;
  Values results;
  std::vector<Values> buffers;
};

std::vector<float> expected() {
  std::vector<float> values;
  for (int layer = 0; layer < kLayers; ++layer) {
    for (int rank = 0; rank < kRanks; ++rank) {
      values.insert(values.end(), kShard, weight(layer, rank));
    }
  }
  return values;
}

// All layers, two buffers, no waiting host until the end.
void run_layers(NcclRank& rank, Model& model) {
  Handle gathered = model.gather(rank, 0);
  for (int layer = 0; layer < kLayers; ++layer) {
    Handle next;
    if (layer + 1 < kLayers) {
      next = model.gather(rank, layer + 1);
    }
    gathered.hold(rank.compute.queue());
    model.compute(rank, layer);
    gathered = std::move(next);
  }
  rank.compute.synchronize();
}

TEST(NcclOverlap, EventsAloneGiveTheRightOrder) {
  for (int i = 0; i < 20; ++i) {
    run_nccl_ranks(kRanks, kPatient, [](NcclRank& rank) {
      Model model(rank.host.rank());
      run_layers(rank, model);
      EXPECT_EQ(model.result(), expected());
    });
  }
}

bool done_within(const Handle& handle, std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!handle.done() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return handle.done();
}

TEST(NcclOverlap, TheNextLayerArrivesWhileThisOneComputes) {
  run_nccl_ranks(kRanks, kPatient, [](NcclRank& rank) {
    Model model(rank.host.rank());
    Handle first = model.gather(rank, 0);
    Handle second = model.gather(rank, 1);
    first.hold(rank.compute.queue());
    Gate computing(rank.compute.get());
    model.compute(rank, 0);
    // Layer 2 goes where layer 0 lies: it must wait for the compute that reads it.
    Handle third = model.gather(rank, 2);

    EXPECT_TRUE(done_within(second, kPatient / 2));
    EXPECT_FALSE(done_within(third, std::chrono::milliseconds(50)));
    rank.host.barrier();
    computing.open();
    EXPECT_TRUE(done_within(third, kPatient / 2));
    rank.compute.synchronize();
    const std::vector<float> values = model.result();
    EXPECT_EQ(values[0], weight(0, 0));
    EXPECT_EQ(values[kLayer - 1], weight(0, 1));
  });
}

// A handle that was handed to a queue does not hold the host up when it goes.
TEST(NcclOverlap, HoldEmptiesTheHandle) {
  run_nccl_ranks(kRanks, kPatient, [](NcclRank& rank) {
    Model model(rank.host.rank());
    Gate busy(rank.compute.get());
    {
      Handle gathered = model.gather(rank, 0);
      gathered.hold(rank.compute.queue());
      EXPECT_TRUE(gathered.done());
    }
    model.compute(rank, 0);
    busy.open();
    rank.compute.synchronize();
    EXPECT_EQ(model.result()[kShard], weight(0, 1));
  });
}

// The time limit is for collectives that could run, not for those that wait for their turn.
TEST(NcclOverlap, ALongComputationBeforeACollectiveIsNoHang) {
  constexpr std::chrono::milliseconds kLimit{800};
  run_nccl_ranks(kRanks, kLimit, [&](NcclRank& rank) {
    Model model(rank.host.rank());
    Gate computing(rank.compute.get());
    Handle gathered = model.gather(rank, 0);
    EXPECT_FALSE(done_within(gathered, 2 * kLimit));
    rank.host.barrier();
    computing.open();
    EXPECT_NO_THROW(gathered.wait());
    rank.host.barrier();
  });
}

TEST(NcclOverlap, AnErrorThatNcclReportsEndsInPeerLost) {
  run_nccl_ranks(kRanks, kPatient, [](NcclRank& rank) {
    Model model(rank.host.rank());
    if (rank.host.rank() == 0) {
      Handle pending = model.gather(rank, 0);
      simt::break_nccl_communicators(0, ncclRemoteError, "socket to rank 1 was closed");
      rallrec::testing::expect_error(
          ExitCode::kPeerLost,
          "rank 0: all_gather(300 x float32): remote process exited or there was a network error: "
          "NCCL says: socket to rank 1 was closed",
          [&] { pending.wait(); });
    } else {
      rank.nccl->abort();
    }
  });
}

TEST(NcclOverlap, RangesNameLayerPhaseAndCollective) {
  run_nccl_ranks(kRanks, kPatient, [](NcclRank& rank) {
    Model model(rank.host.rank());
    simt::take_ranges();
    {
      const ProfileRange range("layer 1 forward");
      model.gather(rank, 1).wait();
    }
    rank.nccl->barrier();
    EXPECT_THAT(
        simt::take_ranges(),
        ElementsAre("layer 1 forward", "layer 1 forward/all_gather(300 x float32)", "barrier"));
  });
}

}  // namespace
}  // namespace rallrec::distributed
