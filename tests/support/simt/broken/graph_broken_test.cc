// Captures of streams: one that is right, replayed under many orders, and those that must be found
// out.
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "core/cuda_handle.h"
#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/simt/broken/kernels.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/graph.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/report.h"

namespace rallrec::simt::broken {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Captures : public ::testing::Test {
 protected:
  Captures() : x_(kThreads, "nothing"), y_(kThreads, "nothing"), z_(kThreads, "nothing") {}
  ~Captures() override { drop(); }

  void drop() {
    if (instance_ != nullptr) {
      cudaGraphExecDestroy(instance_);
    }
    instance_ = nullptr;
  }

  void begin() { cudaStreamBeginCapture(first_.get(), cudaStreamCaptureModeThreadLocal); }
  void end() {
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(first_.get(), &graph);
    drop();
    if (graph != nullptr) {
      cudaGraphInstantiate(&instance_, graph, 0);
      cudaGraphDestroy(graph);
    }
  }

  std::string report_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error&) {
    }
    std::string all;
    for (const std::string& text : take_reports()) {
      all += text + "\n";
    }
    return all;
  }

  float value_of(const CudaBuffer<float>& buffer) {
    cudaDeviceSynchronize();
    std::vector<float> values(kThreads);
    cudaMemcpy(values.data(), buffer.get(), buffer.bytes(), cudaMemcpyDeviceToHost);
    return values[7];
  }

  // x on the first stream, from it y on the second; z is a copy of y on the first.
  void two_streams(bool with_event) {
    begin();
    forked_.record(first_.get());
    forked_.hold(second_.get());
    fill(first_.get(), 5.0F, x_.get());
    written_.record(first_.get());
    if (with_event) {
      written_.hold(second_.get());
    }
    add_one(second_.get(), x_.get(), y_.get());
    joined_.record(second_.get());
    joined_.hold(first_.get());
    cudaMemcpyAsync(z_.get(), y_.get(), y_.bytes(), cudaMemcpyDeviceToDevice, first_.get());
    end();
  }

  int wrong_of_twenty() {
    int wrong = 0;
    for (int i = 0; i < 20; ++i) {
      fill(first_.get(), -1.0F, x_.get());
      cudaGraphLaunch(instance_, first_.get());
      wrong += value_of(z_) == 6.0F ? 0 : 1;
    }
    return wrong;
  }

  CudaStream first_, second_;
  CudaEvent forked_, written_, joined_;
  CudaBuffer<float> x_, y_, z_;
  cudaGraphExec_t instance_ = nullptr;
};

TEST_F(Captures, NothingRunsBeforeTheReplay) {
  ASSERT_STREQ(rallrec::testing::gpu_column_name(), "simt");
  begin();
  fill(first_.get(), 5.0F, x_.get());
  end();
  EXPECT_NE(value_of(x_), 5.0F);
  cudaGraphLaunch(instance_, first_.get());
  EXPECT_EQ(value_of(x_), 5.0F);
}

TEST_F(Captures, ReplaysFollowTheEvents) {
  two_streams(true);
  EXPECT_EQ(wrong_of_twenty(), 0);
}

TEST_F(Captures, AMissingEventShowsInSomeReplay) {
  two_streams(false);
  EXPECT_GT(wrong_of_twenty(), 0);
}

TEST_F(Captures, ScratchMemoryIsTheGraphs) {
  begin();
  {
    const CudaScratch<float> scratch(first_.get(), kThreads, "nothing");
    fill(first_.get(), 3.0F, scratch.get());
    add_one(first_.get(), scratch.get(), y_.get());
  }
  end();
  for (int i = 0; i < 3; ++i) {
    fill(first_.get(), 0.0F, y_.get());
    cudaGraphLaunch(instance_, first_.get());
    EXPECT_EQ(value_of(y_), 4.0F);
  }
}

TEST_F(Captures, ScratchMemoryHoldsNothingFromTheReplayBefore) {
  begin();
  {
    const CudaScratch<float> scratch(first_.get(), kThreads, "nothing");
    add_one(first_.get(), scratch.get(), y_.get());
    fill(first_.get(), 3.0F, scratch.get());
  }
  end();
  for (int i = 0; i < 2; ++i) {
    cudaGraphLaunch(instance_, first_.get());
    EXPECT_NE(value_of(y_), 4.0F);
  }
}

TEST_F(Captures, AStreamThatIsNotJoinedAgain) {
  EXPECT_THAT(report_of([&] {
                begin();
                forked_.record(first_.get());
                forked_.hold(second_.get());
                fill(second_.get(), 1.0F, x_.get());
                end();
              }),
              HasSubstr("before the stream waits for all that the capture holds"));
}

TEST_F(Captures, AnEventFromOutside) {
  EXPECT_THAT(report_of([&] {
                cudaEvent_t event = nullptr;
                cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
                cudaEventRecord(event, second_.get());
                begin();
                cudaStreamWaitEvent(first_.get(), event);
                end();
                cudaEventDestroy(event);
              }),
              HasSubstr("recorded outside of the capture"));
}

TEST_F(Captures, AHostThatWaits) {
  EXPECT_THAT(report_of([&] {
                begin();
                cudaStreamSynchronize(first_.get());
                end();
              }),
              HasSubstr("cudaStreamSynchronize of a stream that is being captured"));
  EXPECT_THAT(report_of([&] {
                begin();
                cudaEvent_t event = nullptr;
                cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
                cudaEventRecord(event, first_.get());
                cudaEventSynchronize(event);
                cudaEventDestroy(event);
                end();
              }),
              HasSubstr("cudaEventSynchronize of an event that was recorded in a capture"));
}

TEST_F(Captures, AnAllocationInBetween) {
  EXPECT_THAT(report_of([&] {
                begin();
                void* memory = nullptr;
                cudaMalloc(&memory, 8);
                end();
                cudaFree(memory);
              }),
              HasSubstr("cudaMalloc while the thread captures a stream"));
}

TEST_F(Captures, MemoryThatStaysAllocated) {
  EXPECT_THAT(report_of([&] {
                begin();
                void* memory = nullptr;
                cudaMallocAsync(&memory, 64, first_.get());
                end();
              }),
              HasSubstr("before memory of the capture is freed"));
}

// An array that has grown since the capture: the replay writes where it was.
TEST_F(Captures, MemoryThatHasMoved) {
  if (!accesses_are_watched()) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(report_of([&] {
                   auto array = CudaBuffer<float>(kThreads, "nothing");
                   begin();
                   fill(first_.get(), 1.0F, array.get());
                   end();
                   array = CudaBuffer<float>(2 * kThreads, "nothing");
                   cudaGraphLaunch(instance_, first_.get());
                   cudaDeviceSynchronize();
                 }),
                 "heap-use-after-free");
  }
}

TEST_F(Captures, AGraphThatIsGone) {
  begin();
  end();
  const cudaGraphExec_t gone = instance_;
  drop();
  EXPECT_THAT(report_of([&] { cudaGraphLaunch(gone, first_.get()); }), HasSubstr("does not exist"));
}

TEST(CaptureLeaks, AreNamed) {
  EXPECT_THAT(drop_graphs(), IsEmpty());
  {
    const CudaStream stream;
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t instance = nullptr;
    cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal);
    cudaStreamEndCapture(stream.get(), &graph);
    cudaGraphInstantiate(&instance, graph, 0);
  }
  EXPECT_EQ(drop_graphs(), "2 graphs ");
}

}  // namespace
}  // namespace rallrec::simt::broken
