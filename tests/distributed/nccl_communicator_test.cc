// What the contract does not say: GPUs, failures and time limits of the NCCL communicator.
#include "distributed/nccl_communicator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/nccl_bootstrap.h"
#include "distributed/peer_lost.h"
#include "distributed/thread_communicator.h"
#include "tests/distributed/nccl_ranks.h"
#include "tests/support/expect_error.h"

namespace rallrec::distributed {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// For what must fail by time; far above what a collective takes.
constexpr milliseconds kShort{800};

class NcclCommunicatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!enough_gpus(3)) {
      GTEST_SKIP() << "fewer than 3 GPUs";
    }
  }
};

CudaBuffer<std::int64_t> ones(std::size_t count) {
  const std::vector<std::int64_t> values(count, 1);
  CudaBuffer<std::int64_t> buffer(count, "nothing");
  check_cuda(cudaMemcpy(buffer.get(), values.data(), buffer.bytes(), cudaMemcpyHostToDevice),
             "copying");
  return buffer;
}

std::string peer_lost_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const PeerLost& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another error: ") + error.what();
  }
  return "no error";
}

TEST_F(NcclCommunicatorTest, ARankThatNeverCallsEndsInPeerLost) {
  run_nccl_ranks(2, kShort, [](NcclRank& rank) {
    const auto data = ones(5);
    if (rank.host.rank() == 0) {
      const auto start = Clock::now();
      EXPECT_THAT(peer_lost_of([&] { rank.nccl->all_reduce(data.get(), 5, DType::kInt64); }),
                  AllOf(HasSubstr("rank 0: all_reduce(sum, 5 x int64): not done after 0.8 s"),
                        HasSubstr("hangs, or does not call it")));
      EXPECT_LT(Clock::now() - start, 10 * kShort);
      // The communicator is gone: what follows does not wait again.
      EXPECT_THAT(peer_lost_of([&] { rank.nccl->barrier(); }), HasSubstr("all_reduce"));
    }
    rank.host.barrier();
  });
}

// The first exchange between two ranks blocks already where it is started.
TEST_F(NcclCommunicatorTest, ARankThatDoesNotConnectEndsInPeerLost) {
  run_nccl_ranks(2, kShort, [](NcclRank& rank) {
    const auto data = ones(4);
    const auto output = ones(4);
    if (rank.host.rank() == 0) {
      EXPECT_THAT(peer_lost_of([&] {
                    rank.nccl->all_to_all_async(data.get(), output.get(), 2, DType::kInt64);
                  }),
                  HasSubstr("rank 0: all_to_all(2 x int64): not done after 0.8 s"));
    }
    rank.host.barrier();
  });
}

// Nobody waits on the host: the communicator's own thread finds out, and the stream goes on.
TEST_F(NcclCommunicatorTest, AStreamThatWaitsForALostPeerGoesOn) {
  run_nccl_ranks(2, kShort, [](NcclRank& rank) {
    const auto data = ones(5);
    if (rank.host.rank() == 1) {
      rank.nccl->all_reduce_async(data.get(), 5, DType::kInt64, ReduceOp::kSum)
          .hold(rank.compute.queue());
      rank.compute.synchronize();
      EXPECT_THAT(peer_lost_of([&] { rank.nccl->barrier(); }),
                  HasSubstr("rank 1: all_reduce(sum, 5 x int64)"));
    }
    rank.host.barrier();
  });
}

TEST_F(NcclCommunicatorTest, AFailingRankReleasesTheOthers) {
  std::atomic<int> released{0};
  rallrec::testing::expect_error(ExitCode::kBadData, "prompts.jsonl:3: made up", [&] {
    run_nccl_ranks(3, kShort, [&](NcclRank& rank) {
      const auto data = ones(4);
      if (rank.host.rank() == 1) {
        throw_bad_data("prompts.jsonl:3", "made up");
      }
      EXPECT_THAT(peer_lost_of([&] { rank.nccl->all_reduce(data.get(), 4, DType::kInt64); }),
                  HasSubstr("all_reduce(sum, 4 x int64)"));
      ++released;
    });
  });
  EXPECT_EQ(released, 2);
}

TEST_F(NcclCommunicatorTest, AbortEndsPendingAndLaterCalls) {
  run_nccl_ranks(2, kPatient, [](NcclRank& rank) {
    const auto data = ones(4);
    Handle pending;
    if (rank.host.rank() == 0) {
      pending = rank.nccl->all_reduce_async(data.get(), 4, DType::kInt64, ReduceOp::kSum);
    }
    rank.nccl->abort();
    if (rank.host.rank() == 0) {
      EXPECT_THAT(peer_lost_of([&] { pending.wait(); }), HasSubstr("aborted the group"));
    }
    EXPECT_THAT(peer_lost_of([&] { rank.nccl->barrier(); }), HasSubstr("aborted the group"));
  });
}

TEST_F(NcclCommunicatorTest, AnotherThreadMayAbortWhileOneWaits) {
  run_nccl_ranks(2, kPatient, [](NcclRank& rank) {
    const auto data = ones(4);
    if (rank.host.rank() == 0) {
      std::thread watchdog([&] {
        std::this_thread::sleep_for(milliseconds(50));
        rank.nccl->abort();
      });
      EXPECT_THAT(peer_lost_of([&] { rank.nccl->all_reduce(data.get(), 4, DType::kInt64); }),
                  HasSubstr("aborted the group"));
      watchdog.join();
    } else {
      rank.nccl->abort();
    }
  });
}

TEST_F(NcclCommunicatorTest, ARankThatDoesNotJoinEndsInPeerLost) {
  run_thread_ranks(2, [](Communicator& host) {
    check_cuda(cudaSetDevice(host.rank()), "choosing a device");
    const CudaStream compute;
    const auto rendezvous = make_rendezvous(host);
    if (host.rank() == 0) {
      EXPECT_THAT(peer_lost_of([&] {
                    make_nccl_communicator(*rendezvous, {compute.queue(), 0, kShort});
                  }),
                  HasSubstr("rank 0: joining 2 ranks: not done after 0.8 s"));
    } else {
      agree_on_unique_id(*rendezvous, 1);
    }
  });
}

TEST_F(NcclCommunicatorTest, RefusesHostMemory) {
  run_nccl_ranks(2, kPatient, [](NcclRank& rank) {
    const auto device = ones(8);
    std::vector<std::int64_t> host(8);
    rallrec::testing::expect_error(ExitCode::kInternal, "the input is host memory", [&] {
      rank.nccl->all_gather(host.data(), device.get(), 2, DType::kInt64);
    });
    rallrec::testing::expect_error(
        ExitCode::kInternal, "all_gather(2 x int64): the output is host memory",
        [&] { rank.nccl->all_gather(device.get(), host.data(), 2, DType::kInt64); });
    // Refused before anything was started: the group is as good as before.
    EXPECT_NO_THROW(rank.nccl->barrier());
  });
}

TEST_F(NcclCommunicatorTest, NeedsAStreamThatComputes) {
  LocalCommunicator local;
  const auto rendezvous = make_rendezvous(local);
  rallrec::testing::expect_error(ExitCode::kInternal, "needs a CUDA stream", [&] {
    make_nccl_communicator(*rendezvous, {Queue{}, 0, kShort});
  });
}

TEST_F(NcclCommunicatorTest, TwoRanksOnOneGpuAreNamed) {
  rallrec::testing::expect_error(ExitCode::kUsage, "ranks 0 and 2 both use GPU-", [] {
    run_thread_ranks(3, [](Communicator& host) {
      const int device = host.rank() % 2;
      check_cuda(cudaSetDevice(device), "choosing a device");
      const CudaStream compute;
      const auto rendezvous = make_rendezvous(host);
      make_nccl_communicator(*rendezvous, {compute.queue(), device, kShort});
    });
  });
}

TEST(DistinctGpus, AreToldByUuidAlone) {
  EXPECT_NO_THROW(require_distinct_gpus({{"a", "GPU-1"}, {"a", "GPU-2"}, {"b", "GPU-3"}}));
  rallrec::testing::expect_error(ExitCode::kUsage, "ranks 1 and 2 both use GPU-2 of host b", [] {
    require_distinct_gpus({{"a", "GPU-1"}, {"b", "GPU-2"}, {"b", "GPU-2"}});
  });
}

}  // namespace
}  // namespace rallrec::distributed
