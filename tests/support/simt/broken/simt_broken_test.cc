// Every kernel and every use of the runtime here is wrong, and must be found out. If one of these
// tests fails, the host SIMT build has lost its teeth.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "core/cuda_handle.h"
#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/expect_error.h"
#include "tests/support/simt/broken/kernels.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/report.h"
#include "tests/support/simt/seed.h"

namespace rallrec::simt::broken {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const bool kWatched = accesses_are_watched();

std::vector<float> counting() {
  std::vector<float> values(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<float>(i);
  }
  return values;
}

// The device starts when the host waits, however slow the host is.
class PatientDevice {
 public:
  PatientDevice() { Device::instance().set_patience(std::chrono::minutes(10)); }
  ~PatientDevice() { Device::instance().set_patience(std::chrono::milliseconds(10)); }
  PatientDevice(const PatientDevice&) = delete;
  PatientDevice& operator=(const PatientDevice&) = delete;
};

class Broken : public ::testing::Test {
 protected:
  Broken() : x_(kThreads, "nothing"), y_(kThreads, "nothing") {
    const auto values = counting();
    cudaMemcpy(x_.get(), values.data(), x_.bytes(), cudaMemcpyHostToDevice);
    cudaMemset(y_.get(), 0, y_.bytes());
  }

  cudaStream_t stream() const { return stream_.get(); }
  float* x() const { return x_.get(); }
  float* y() const { return y_.get(); }

  // All that was reported from the start to the end of `action` and of what it enqueued.
  std::string report_of(const std::function<void()>& action) {
    try {
      action();
      stream_.synchronize();
    } catch (const Error&) {
    }
    std::string all;
    for (const std::string& text : take_reports()) {
      all += text + "\n";
    }
    return all;
  }

  std::vector<float> result() {
    stream_.synchronize();
    std::vector<float> values(kThreads);
    cudaMemcpy(values.data(), y(), y_.bytes(), cudaMemcpyDeviceToHost);
    return values;
  }

 private:
  CudaStream stream_;
  CudaBuffer<float> x_;
  CudaBuffer<float> y_;
};

using BrokenDeath = Broken;

TEST_F(Broken, WhatIsRightPasses) {
  ASSERT_STREQ(rallrec::testing::gpu_column_name(), "simt");
  for (std::uint64_t i = 1; i <= 20; ++i) {
    EXPECT_THAT(report_of([&] { reverse(stream(), x(), y()); }), IsEmpty());
    const auto values = result();
    EXPECT_EQ(values[3], kThreads - 4.0F);
    EXPECT_EQ(values[60], 3.0F);
  }
}

// Shared memory without the barrier it needs: named where accesses are watched, a NaN or another
// thread's value elsewhere.
TEST_F(Broken, MissingBarrier) {
  const std::string text = report_of([&] { missing_barrier(stream(), x(), y()); });
  if (kWatched) {
    EXPECT_THAT(text, ::testing::AnyOf(HasSubstr("data race on shared memory"),
                                       HasSubstr("shared memory that nobody has written")));
  } else {
    std::vector<float> right = counting();
    std::reverse(right.begin(), right.end());
    EXPECT_NE(result(), right);
  }
}

TEST_F(Broken, MissingSecondBarrier) {
  if (kWatched) {
    EXPECT_THAT(report_of([&] { missing_second_barrier(stream(), x(), y()); }),
                HasSubstr("data race on shared memory"));
  }
}

TEST_F(Broken, MissingWarpBarrier) {
  if (kWatched) {
    EXPECT_THAT(report_of([&] { missing_warp_barrier(stream(), x(), y()); }),
                ::testing::AnyOf(HasSubstr("data race on shared memory"),
                                 HasSubstr("shared memory that nobody has written")));
  }
}

TEST_F(Broken, PlainReadBesideAnAtomic) {
  if (kWatched) {
    EXPECT_THAT(report_of([&] { plain_beside_atomic(stream(), y()); }),
                HasSubstr("data race on shared memory"));
  }
}

TEST_F(Broken, BlocksThatWriteTheSamePlace) {
  EXPECT_THAT(report_of([&] { two_blocks(stream(), true, y()); }), IsEmpty());
  EXPECT_EQ(result()[7], 2.0F);
  if (kWatched) {
    EXPECT_THAT(report_of([&] { two_blocks(stream(), false, y()); }),
                HasSubstr("data race between blocks"));
  }
}

TEST_F(Broken, SharedMemoryThatNobodyWrote) {
  const std::string text = report_of([&] { unwritten_shared(stream(), y()); });
  if (kWatched) {
    EXPECT_THAT(text, HasSubstr("thread 5 reads shared memory that nobody has written"));
  } else {
    EXPECT_TRUE(std::isnan(result()[5]));
  }
}

TEST_F(Broken, BarrierThatHalfTheThreadsReach) {
  const std::string text = report_of([&] { barrier_for_half(stream()); });
  EXPECT_THAT(text, HasSubstr("not all threads reach the same barrier"));
  EXPECT_THAT(text, HasSubstr("has ended"));
  EXPECT_THAT(text, HasSubstr("barrier_for_half_kernel"));
}

TEST_F(Broken, BarrierOnTwoLines) {
  EXPECT_THAT(report_of([&] { barrier_on_two_lines(stream(), y()); }),
              HasSubstr("not all threads reach the same barrier"));
}

TEST_F(Broken, ShuffleMaskWithoutTheThreadItself) {
  EXPECT_THAT(report_of([&] { mask_without_itself(stream(), y()); }),
              HasSubstr("which does not name the thread itself"));
}

TEST_F(Broken, ShuffleMaskOfLanesThatDoNotCome) {
  EXPECT_THAT(report_of([&] { mask_of_absent_lanes(stream(), y()); }),
              ::testing::AnyOf(HasSubstr("has ended or does not exist"),
                               HasSubstr("not all threads reach")));
}

TEST_F(Broken, ShuffleMasksThatDiffer) {
  EXPECT_THAT(report_of([&] { masks_that_differ(stream(), y()); }),
              ::testing::AnyOf(HasSubstr("waits in __shfl_sync with the mask"),
                               HasSubstr("has ended or does not exist")));
}

TEST_F(Broken, ShuffleFromALaneOutsideTheMask) {
  EXPECT_THAT(report_of([&] { shuffle_from_outside_the_mask(stream(), y()); }),
              HasSubstr("which is not in the mask"));
}

TEST_F(Broken, AsynchronousCopyReadTooEarly) {
  const std::string text = report_of([&] { copy_without_wait(stream(), x(), y()); });
  if (kWatched) {
    EXPECT_THAT(text, HasSubstr("shared memory that nobody has written"));
  } else {
    EXPECT_TRUE(std::isnan(result()[0]));
  }
}

TEST_F(Broken, AsynchronousCopyLeftOpen) {
  EXPECT_THAT(report_of([&] { copy_left_open(stream(), x()); }),
              HasSubstr("asynchronous copies that nobody has waited for"));
}

TEST_F(Broken, AsynchronousCopyNotAligned) {
  EXPECT_THAT(report_of([&] { copy_not_aligned(stream(), x()); }), HasSubstr("not aligned"));
}

TEST_F(Broken, Trap) {
  EXPECT_THAT(report_of([&] { trap(stream()); }), HasSubstr("__trap"));
}

TEST_F(Broken, AFaultStaysUntilItIsTaken) {
  EXPECT_THROW(
      {
        trap(stream());
        check_cuda(cudaStreamSynchronize(stream()), "waiting");
      },
      Error);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_FALSE(take_reports().empty());
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(BrokenDeath, BeyondDynamicSharedMemory) {
  if (!kWatched) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(report_of([&] { beyond_dynamic_shared(stream()); }), "heap-buffer-overflow");
  }
}

TEST_F(BrokenDeath, BeyondStaticSharedMemory) {
  if (!kWatched) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(report_of([&] { beyond_static_shared(stream(), kThreads, y()); }),
                 "out of bounds");
  }
}

TEST_F(BrokenDeath, BeyondGlobalMemory) {
  if (!kWatched) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(report_of([&] { beyond_global(stream(), y()); }), "heap-buffer-overflow");
  }
}

TEST_F(BrokenDeath, UseAfterFree) {
  if (!kWatched) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(report_of([&] {
                   float* freed = nullptr;
                   {
                     const CudaBuffer<float> buffer(kThreads, "nothing");
                     freed = buffer.get();
                   }
                   fill(stream(), 1.0F, freed);
                 }),
                 "heap-use-after-free");
  }
}

TEST_F(BrokenDeath, HostReadsDeviceMemory) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(std::printf("%f", static_cast<double>(y()[1])), "use-after-poison");
}

// x is written on one stream and read on another: some order of the two shows the fault.
int wrong_of_twenty(bool with_event, cudaStream_t second) {
  int wrong = 0;
  const CudaStream first;
  CudaEvent written;
  const CudaBuffer<float> x(kThreads, "nothing");
  const CudaBuffer<float> y(kThreads, "nothing");
  for (int i = 0; i < 20; ++i) {
    const auto value = static_cast<float>(i);
    fill(first.get(), value, x.get());
    written.record(first.get());
    if (with_event) {
      written.hold(second);
    }
    add_one(second, x.get(), y.get());
    cudaDeviceSynchronize();
    std::vector<float> values(kThreads);
    cudaMemcpy(values.data(), y.get(), y.bytes(), cudaMemcpyDeviceToHost);
    wrong += values[7] == value + 1.0F ? 0 : 1;
  }
  return wrong;
}

TEST_F(Broken, MissingEventWait) {
  EXPECT_EQ(wrong_of_twenty(true, stream()), 0);
  EXPECT_GT(wrong_of_twenty(false, stream()), 0);
}

TEST_F(Broken, ResultReadBeforeTheStreamIsDone) {
  const PatientDevice patient;
  const PinnedBuffer<float> here(kThreads);
  fill(stream(), 3.0F, y());
  cudaMemcpyAsync(here.get(), y(), here.bytes(), cudaMemcpyDeviceToHost, stream());
  EXPECT_TRUE(std::isnan(here.get()[0]));
  cudaStreamSynchronize(stream());
  EXPECT_EQ(here.get()[0], 3.0F);
}

TEST_F(Broken, AsynchronousCopyFromMemoryThatIsNotPinned) {
  std::vector<float> pageable(kThreads);
  EXPECT_THAT(report_of([&] {
                cudaMemcpyAsync(y(), pageable.data(), kThreads * sizeof(float),
                                cudaMemcpyHostToDevice, stream());
              }),
              HasSubstr("host memory that is not pinned"));
}

TEST_F(Broken, CopyBeyondABuffer) {
  std::vector<float> here(kThreads + 1);
  EXPECT_THAT(report_of([&] {
                cudaMemcpy(here.data(), y(), here.size() * sizeof(float), cudaMemcpyDeviceToHost);
              }),
              HasSubstr("does not lie within one device buffer"));
}

TEST_F(Broken, CopyTheWrongWayRound) {
  std::vector<float> here(kThreads);
  EXPECT_THAT(report_of([&] {
                cudaMemcpy(y(), here.data(), here.size() * sizeof(float), cudaMemcpyDeviceToHost);
              }),
              HasSubstr("of a copy"));
}

TEST_F(Broken, FreedTwice) {
  void* memory = nullptr;
  cudaMalloc(&memory, 64);
  cudaFree(memory);
  EXPECT_THAT(report_of([&] { cudaFree(memory); }), HasSubstr("not a live device buffer"));
}

TEST_F(Broken, StreamThatIsGone) {
  cudaStream_t gone = nullptr;
  {
    const CudaStream stream;
    gone = stream.get();
  }
  EXPECT_THAT(report_of([&] { fill(gone, 1.0F, y()); }), HasSubstr("stream that does not exist"));
  EXPECT_THAT(report_of([&] { fill(nullptr, 1.0F, y()); }),
              HasSubstr("stream that does not exist"));
  EXPECT_THAT(report_of([&] { cudaStreamSynchronize(gone); }), HasSubstr("does not exist"));
}

TEST_F(Broken, LaunchesThatNoGpuTakes) {
  rallrec::testing::expect_error(ExitCode::kInternal, "nothing_kernel",
                                 [&] { with_block_of(stream(), 1025); });
  rallrec::testing::expect_error(ExitCode::kInternal, "nothing_kernel",
                                 [&] { with_shared_of(stream(), 300 * 1024); });
  EXPECT_NO_THROW(with_shared_of(stream(), 200 * 1024));
}

TEST_F(Broken, MoreMemoryThanTheDeviceHas) {
  set_device_memory(std::size_t{10} << 20);
  rallrec::testing::expect_error(ExitCode::kInternal, "asked for 64 MiB, 9 MiB of 10 MiB are free",
                                 [&] { CudaBuffer<float>(std::size_t{16} << 20, "tune.batch"); });
  rallrec::testing::expect_error(ExitCode::kInternal, "make tune.batch smaller",
                                 [&] { CudaBuffer<float>(std::size_t{16} << 20, "tune.batch"); });
  set_device_memory(std::size_t{4} << 30);
}

TEST(BrokenLeaks, AreNamed) {
  EXPECT_THAT(Device::instance().drop_everything() + drop_allocations(), IsEmpty());
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  void* memory = nullptr;
  void* pinned = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  cudaMalloc(&memory, 8);
  cudaHostAlloc(&pinned, 8, cudaHostAllocDefault);
  const std::string alive = Device::instance().drop_everything() + drop_allocations();
  EXPECT_EQ(alive, "1 streams 1 events 1 device buffers 1 pinned buffers ");
}

TEST(BrokenSeed, ReplaysTheSchedule) {
  const PatientDevice patient;
  const auto orders = [](std::uint64_t seed) {
    set_seed(seed);
    Device::instance().drop_everything();
    const CudaStream stream;
    return wrong_of_twenty(false, stream.get());
  };
  std::vector<int> first;
  std::vector<int> second;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    first.push_back(orders(seed));
    second.push_back(orders(seed));
  }
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace rallrec::simt::broken
