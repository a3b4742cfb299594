// Every use of NCCL here is wrong, and must be found out. If one of these tests fails, the stand-in
// for NCCL has lost its teeth.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/cuda_handle.h"
#include "nccl.h"
#include "tests/support/device/test_device.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/nccl_communicator.h"
#include "tests/support/simt/report.h"
#include "tests/support/simt/seed.h"

namespace rallrec::simt::broken {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kCount = 64;

using Values = std::vector<float>;

std::string reports() {
  std::string all;
  for (const std::string& text : take_reports()) {
    all += text + "\n";
  }
  return all;
}

// Two ranks in one thread, each with device, stream and communicator.
class BrokenNccl : public ::testing::Test {
 protected:
  BrokenNccl() {
    ncclUniqueId id;
    ncclGetUniqueId(&id);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    for (int rank = 0; rank < 2; ++rank) {
      cudaSetDevice(rank);
      ncclCommInitRankConfig(&comms_[at(rank)], 2, id, rank, &config);
      streams_.emplace_back();
      inputs_.emplace_back(2 * kCount, "nothing");
      outputs_.emplace_back(2 * kCount, "nothing");
      fill(input(rank), 1.0F + static_cast<float>(rank));
    }
    settle(0);
    settle(1);
    // Connects the ranks: from now on one can call while the other has not.
    reduce(0);
    reduce(1);
    settle(0);
    settle(1);
    finish();
    fill(output(0), -1.0F);
    fill(output(1), -1.0F);
  }

  ~BrokenNccl() override {
    for (ncclComm_t comm : comms_) {
      if (comm != nullptr) {
        ncclCommAbort(comm);
      }
    }
    Device::instance().wait_for_all(0);
    Device::instance().wait_for_all(1);
    cudaSetDevice(0);
  }

  static std::size_t at(int rank) { return static_cast<std::size_t>(rank); }
  ncclComm_t comm(int rank) const { return comms_[at(rank)]; }
  cudaStream_t stream(int rank) const { return streams_[at(rank)].get(); }
  float* input(int rank) const { return inputs_[at(rank)].get(); }
  float* output(int rank) const { return outputs_[at(rank)].get(); }
  void gone(int rank) { comms_[at(rank)] = nullptr; }

  // Asks until the communicator is through with the call before.
  ncclResult_t settle(int rank) const {
    ncclResult_t state = ncclInProgress;
    for (int i = 0; i < 1000 && state == ncclInProgress; ++i) {
      ncclCommGetAsyncError(comm(rank), &state);
    }
    return state;
  }
  void both(const std::function<void(int)>& call) const {
    for (int rank = 0; rank < 2; ++rank) {
      call(rank);
      settle(rank);
    }
  }
  void reduce(int rank, std::size_t count = kCount, ncclDataType_t type = ncclFloat32,
              ncclRedOp_t op = ncclSum) const {
    ncclAllReduce(input(rank), output(rank), count, type, op, comm(rank), stream(rank));
  }
  void finish() const {
    cudaStreamSynchronize(stream(0));
    cudaStreamSynchronize(stream(1));
  }

  static void fill(float* memory, float value) {
    const Values values(2 * kCount, value);
    cudaMemcpy(memory, values.data(), values.size() * sizeof(float), cudaMemcpyHostToDevice);
  }
  static Values read(const float* memory) {
    Values values(kCount);
    cudaMemcpy(values.data(), memory, values.size() * sizeof(float), cudaMemcpyDeviceToHost);
    return values;
  }

  // The report of two calls that do not fit, with both call sites.
  void expect_mismatch(const std::function<void(int)>& call, const std::string& first,
                       const std::string& second) {
    both(call);
    EXPECT_THAT(reports(),
                AllOf(HasSubstr("calls of NCCL do not match"), HasSubstr("rank 0 calls " + first),
                      HasSubstr("rank 1 calls " + second),
                      ContainsRegex("rank 0 calls .* at .*nccl_broken_test.cc:[0-9]+.*"
                                    "rank 1 calls .* at .*nccl_broken_test.cc:[0-9]+")));
  }

 private:
  std::array<ncclComm_t, 2> comms_{};
  std::vector<CudaStream> streams_;
  std::vector<CudaBuffer<float>> inputs_;
  std::vector<CudaBuffer<float>> outputs_;
};

TEST_F(BrokenNccl, WhatIsRightPasses) {
  for (int i = 0; i < 20; ++i) {
    both([&](int rank) { reduce(rank); });
    finish();
    EXPECT_EQ(read(output(0)), Values(kCount, 3.0F));
    EXPECT_EQ(read(output(1)), Values(kCount, 3.0F));
  }
  both([&](int rank) { ncclCommFinalize(comm(rank)); });
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(settle(rank), ncclSuccess);
    EXPECT_EQ(ncclCommDestroy(comm(rank)), ncclSuccess);
    gone(rank);
  }
  EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(BrokenNccl, Sizes) {
  expect_mismatch([&](int rank) { reduce(rank, kCount - at(rank)); },
                  "ncclAllReduce(64 x type 7, op 0)", "ncclAllReduce(63 x type 7, op 0)");
}

TEST_F(BrokenNccl, Types) {
  expect_mismatch([&](int rank) { reduce(rank, kCount, rank == 0 ? ncclFloat32 : ncclInt32); },
                  "ncclAllReduce(64 x type 7", "ncclAllReduce(64 x type 2");
}

TEST_F(BrokenNccl, Operations) {
  expect_mismatch(
      [&](int rank) { reduce(rank, kCount, ncclFloat32, rank == 0 ? ncclSum : ncclMax); },
      "ncclAll", "ncclAll");
}

TEST_F(BrokenNccl, Order) {
  const auto gather = [&](int rank) {
    ncclAllGather(input(rank), output(rank), kCount, ncclFloat32, comm(rank), stream(rank));
  };
  expect_mismatch([&](int rank) { rank == 0 ? reduce(rank) : gather(rank); }, "ncclAllReduce",
                  "ncclAllGather");
}

TEST_F(BrokenNccl, Roots) {
  expect_mismatch(
      [&](int rank) {
        ncclBroadcast(input(rank), output(rank), kCount, ncclFloat32, rank, comm(rank),
                      stream(rank));
      },
      "ncclBroadcast(64 x type 7, root 0)", "ncclBroadcast(64 x type 7, root 1)");
}

TEST_F(BrokenNccl, SizesOfSendAndReceive) {
  expect_mismatch(
      [&](int rank) {
        if (rank == 0) {
          ncclSend(input(0), 8, ncclFloat32, 1, comm(0), stream(0));
        } else {
          ncclRecv(output(1), 9, ncclFloat32, 0, comm(1), stream(1));
        }
      },
      "ncclSend(8 x type 7, peer 1)", "ncclRecv(9 x type 7, peer 0)");
}

// A rank that does not come: the others' streams stay where they are until they are aborted.
TEST_F(BrokenNccl, ACollectiveThatOneRankSkips) {
  reduce(0);
  settle(0);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(cudaStreamQuery(stream(0)), cudaErrorNotReady);
  ncclCommAbort(comm(0));
  gone(0);
  EXPECT_EQ(cudaStreamSynchronize(stream(0)), cudaSuccess);
  EXPECT_NE(read(output(0)), Values(kCount, 3.0F));
}

// The input is written on another stream, and the output read on another: without an event each way
// some order of the streams shows the fault.
enum class Missing { kNothing, kEventBefore, kEventAfter };

class BrokenNcclOrder : public BrokenNccl {
 protected:
  int wrong_of_forty(Missing missing) {
    cudaSetDevice(0);
    const CudaStream other;
    CudaEvent written;
    CudaEvent reduced;
    const CudaBuffer<float> source(2 * kCount, "nothing");
    const CudaBuffer<float> result(kCount, "nothing");
    int wrong = 0;
    for (int i = 0; i < 40; ++i) {
      const auto value = static_cast<float>(i + 10);
      fill(source.get(), value);
      fill(input(0), -1.0F);
      copy(input(0), source.get(), other);
      if (missing != Missing::kEventBefore) {
        written.record(other.get());
        written.hold(stream(0));
      }
      both([&](int rank) { reduce(rank); });
      if (missing != Missing::kEventAfter) {
        reduced.record(stream(0));
        reduced.hold(other.get());
      }
      copy(result.get(), output(0), other);
      cudaStreamSynchronize(other.get());
      finish();
      wrong += read(result.get()) == Values(kCount, value + 2.0F) ? 0 : 1;
    }
    return wrong;
  }

  static void copy(float* to, const float* from, const CudaStream& stream) {
    cudaMemcpyAsync(to, from, kCount * sizeof(float), cudaMemcpyDeviceToDevice, stream.get());
  }
};

TEST_F(BrokenNcclOrder, MissingEvents) {
  EXPECT_EQ(wrong_of_forty(Missing::kNothing), 0);
  EXPECT_GT(wrong_of_forty(Missing::kEventBefore), 0);
  EXPECT_GT(wrong_of_forty(Missing::kEventAfter), 0);
}

// The event is recorded before NCCL has put its work on the stream, and marks nothing.
TEST_F(BrokenNccl, AnEventRecordedWhileTheCallIsInProgress) {
  cudaSetDevice(0);
  const CudaStream other;
  CudaEvent reduced;
  const CudaBuffer<float> result(kCount, "nothing");
  int wrong = 0;
  for (int i = 0; i < 40; ++i) {
    fill(output(0), -1.0F);
    reduce(0);
    reduced.record(stream(0));
    reduced.hold(other.get());
    cudaMemcpyAsync(result.get(), output(0), kCount * sizeof(float), cudaMemcpyDeviceToDevice,
                    other.get());
    settle(0);
    reduce(1);
    settle(1);
    cudaStreamSynchronize(other.get());
    finish();
    wrong += read(result.get()) == Values(kCount, 3.0F) ? 0 : 1;
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(BrokenNccl, ACallWhileTheOneBeforeIsInProgress) {
  for (int i = 0; i < 20; ++i) {
    reduce(0);
    reduce(0);
  }
  EXPECT_THAT(reports(), AllOf(HasSubstr("ncclAllReduce while the communicator is still busy"),
                               HasSubstr("nccl_broken_test.cc")));
}

TEST_F(BrokenNccl, ABufferFreedUnderACollective) {
  cudaSetDevice(0);
  const CudaStream other;
  void* short_lived = nullptr;
  cudaMalloc(&short_lived, kCount * sizeof(float));
  ncclAllReduce(input(0), short_lived, kCount, ncclFloat32, ncclSum, comm(0), stream(0));
  settle(0);
  // No event says that the collective is done with it.
  cudaFreeAsync(short_lived, other.get());
  cudaStreamSynchronize(other.get());
  reduce(1);
  settle(1);
  finish();
  EXPECT_THAT(reports(), AllOf(HasSubstr("the output of ncclAllReduce(64 x type 7, op 0) was freed "
                                         "before the collective was done"),
                               HasSubstr("nccl_broken_test.cc")));
}

TEST_F(BrokenNccl, HostMemory) {
  Values host(kCount);
  EXPECT_EQ(ncclAllReduce(host.data(), output(0), kCount, ncclFloat32, ncclSum, comm(0), stream(0)),
            ncclInvalidArgument);
  EXPECT_THAT(reports(), HasSubstr("an input that does not lie within one device buffer"));
}

TEST_F(BrokenNccl, BeyondABuffer) {
  EXPECT_EQ(ncclAllGather(input(0), output(0), 2 * kCount, ncclFloat32, comm(0), stream(0)),
            ncclInvalidArgument);
  EXPECT_THAT(reports(), HasSubstr("an output that does not lie within one device buffer"));
}

TEST_F(BrokenNccl, ACommunicatorNeverDestroyed) {
  const std::string alive = drop_nccl_communicators();
  EXPECT_THAT(alive, AllOf(HasSubstr("the communicator of rank 0 of 2 made at"),
                           HasSubstr("the communicator of rank 1 of 2 made at"),
                           HasSubstr("nccl_broken_test.cc")));
  gone(0);
  gone(1);
}

TEST_F(BrokenNccl, DestroyedBeforeItWasFinalised) {
  EXPECT_EQ(ncclCommDestroy(comm(0)), ncclInvalidUsage);
  EXPECT_THAT(reports(), HasSubstr("has not been finalised"));
  // Finalising takes all ranks.
  ncclCommFinalize(comm(0));
  EXPECT_EQ(settle(0), ncclInProgress);
  EXPECT_EQ(ncclCommDestroy(comm(0)), ncclInvalidUsage);
  EXPECT_THAT(reports(), HasSubstr("has not been finalised to the end"));
}

TEST_F(BrokenNccl, UsedAfterItsEnd) {
  ncclComm_t ended = comm(0);
  ncclCommAbort(ended);
  gone(0);
  EXPECT_EQ(ncclAllReduce(input(0), output(0), 1, ncclFloat32, ncclSum, ended, stream(0)),
            ncclInvalidUsage);
  EXPECT_THAT(reports(), HasSubstr("of a communicator that does not exist"));
}

TEST(BrokenNcclInit, TwoRanksOnOneGpu) {
  ncclUniqueId id;
  ncclGetUniqueId(&id);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  std::array<ncclComm_t, 2> comms{};
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_EQ(ncclCommInitRankConfig(&comms[static_cast<std::size_t>(rank)], 2, id, rank, &config),
              ncclInProgress);
  }
  ncclResult_t state = ncclSuccess;
  ncclCommGetAsyncError(comms[1], &state);
  EXPECT_EQ(state, ncclInvalidUsage);
  EXPECT_THAT(ncclGetLastError(comms[1]), HasSubstr("ranks 0 and 1 are both on device 0"));
  ncclCommAbort(comms[0]);
  ncclCommAbort(comms[1]);
}

// Three ranks' floats: who leaves their sum to NCCL gets other bits from time to time.
TEST(BrokenNcclSums, DependOnTheOrder) {
  const std::vector<float> values = {1e8F, -1e8F, 1.0F / 3.0F};
  std::vector<Bytes> inputs(3, Bytes(100 * kCount * sizeof(float)));
  for (std::size_t rank = 0; rank < 3; ++rank) {
    for (std::size_t i = 0; i < 100 * kCount; ++i) {
      std::memcpy(&inputs[rank][i * sizeof(float)], &values[rank], sizeof(float));
    }
  }
  Random random(seed());
  const Bytes sums = reduce_in_some_order(inputs, ncclFloat32, ncclSum, random);
  std::set<float> different;
  for (std::size_t i = 0; i < 100 * kCount; ++i) {
    float sum = 0.0F;
    std::memcpy(&sum, &sums[i * sizeof(float)], sizeof(float));
    different.insert(sum);
  }
  EXPECT_GT(different.size(), 1U);
}

}  // namespace
}  // namespace rallrec::simt::broken
