// The pool of page-locked memory, against a GPU or the stand-in, which runs work late and reports
// what is left alive.
#include "core/pinned_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "core/cuda_handle.h"
#include "core/device_array.h"
#include "core/device_memory_gpu.h"
#include "tests/support/device/test_device.h"

namespace rallrec {
namespace {

constexpr std::size_t kBytes = 10000;
constexpr std::size_t kRounded = 16384;

// Holds up a stream until it is opened.
class Gate {
 public:
  void close(cudaStream_t stream) {
    check_cuda(cudaLaunchHostFunc(stream, &Gate::wait, this), "closing a gate");
  }
  void open() { open_ = true; }

 private:
  static void wait(void* gate) {
    while (!static_cast<Gate*>(gate)->open_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<bool> open_{false};
};

class PinnedPools : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (testing::open_gpu_column(why) == nullptr) {
      if (testing::gpu_is_required()) {
        FAIL() << why;
      }
      GTEST_SKIP() << why;
    }
  }
};

const unsigned char* lease_once(PinnedPool& pool, const CudaStream& stream) {
  const PinnedPool::Lease lease(pool, kBytes, stream.get());
  std::memset(lease.get(), 1, kBytes);
  return lease.get();
}

TEST_F(PinnedPools, HandOutABlockAgainOnceItsCopyHasFinished) {
  const CudaStream stream;
  PinnedPool pool(1 << 20);
  const unsigned char* first = lease_once(pool, stream);
  stream.synchronize();
  EXPECT_EQ(lease_once(pool, stream), first);
  EXPECT_EQ(pool.bytes(), kRounded);
}

// Two copies from what would be one block, the first of which has not begun.
TEST_F(PinnedPools, DoNotHandOutABlockWhoseCopyHasNotFinished) {
  const CudaStream stream;
  const CudaBuffer<unsigned char> device(2 * kBytes, "");
  PinnedPool pool(1 << 20);
  Gate gate;
  gate.close(stream.get());
  const unsigned char* blocks[2];
  for (int i = 0; i < 2; ++i) {
    const PinnedPool::Lease lease(pool, kBytes, stream.get());
    blocks[i] = lease.get();
    std::memset(lease.get(), i + 1, kBytes);
    check_cuda(cudaMemcpyAsync(device.get() + i * kBytes, lease.get(), kBytes,
                               cudaMemcpyHostToDevice, stream.get()),
               "copying");
  }
  EXPECT_NE(blocks[0], blocks[1]);
  EXPECT_EQ(pool.bytes(), 2 * kRounded);
  gate.open();
  stream.synchronize();
  std::vector<unsigned char> got(2 * kBytes);
  check_cuda(cudaMemcpy(got.data(), device.get(), got.size(), cudaMemcpyDeviceToHost), "copying");
  EXPECT_EQ(std::count(got.begin(), got.begin() + kBytes, 1), kBytes);
  EXPECT_EQ(std::count(got.begin() + kBytes, got.end(), 2), kBytes);
}

TEST_F(PinnedPools, WaitForTheOldestCopyRatherThanGrowBeyondTheirBound) {
  const CudaStream stream;
  PinnedPool pool(2 * kRounded);
  Gate gate;
  gate.close(stream.get());
  lease_once(pool, stream);
  lease_once(pool, stream);
  EXPECT_EQ(pool.bytes(), 2 * kRounded);
  std::atomic<bool> opened{false};
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    opened = true;
    gate.open();
  });
  lease_once(pool, stream);
  EXPECT_TRUE(opened);
  EXPECT_LE(pool.bytes(), 2 * kRounded);
  later.join();
}

TEST_F(PinnedPools, ALargerBlockThanTheBoundIsLentAllTheSame) {
  const CudaStream stream;
  PinnedPool pool(kRounded);
  {
    const PinnedPool::Lease lease(pool, 5 * kRounded, stream.get());
    std::memset(lease.get(), 0, 5 * kRounded);
  }
  EXPECT_EQ(pool.bytes(), 8 * kRounded);
  pool.clear();
  EXPECT_EQ(pool.bytes(), 0U);
}

// Blocks of 16 MiB, of which a copy has more than one; what was copied to the device is overwritten
// on the host at once.
TEST_F(PinnedPools, ServeTheCopiesOfArraysAndGoWithTheLastOfThem) {
  const CudaStream stream;
  EXPECT_EQ(detail::pinned_bytes(), 0U);
  {
    DeviceArray<std::int32_t> small(stream.queue(), "", {1, 2, 3});
    const std::size_t after_one = detail::pinned_bytes();
    EXPECT_GT(after_one, 0U);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(small.host(), (std::vector<std::int32_t>{1, 2, 3}));
    }
    EXPECT_LE(detail::pinned_bytes(), 2 * after_one);
    std::vector<std::int32_t> host(5 << 22, 7);
    const DeviceArray<std::int32_t> large(stream.queue(), "", host);
    std::fill(host.begin(), host.end(), 8);
    const auto got = large.host();
    EXPECT_EQ(static_cast<std::size_t>(std::count(got.begin(), got.end(), 7)), got.size());
    EXPECT_LE(detail::pinned_bytes(), std::size_t{64} << 20);
  }
  EXPECT_EQ(detail::pinned_bytes(), 0U);
}

}  // namespace
}  // namespace rallrec
