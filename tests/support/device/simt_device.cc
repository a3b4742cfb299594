// The device of the host SIMT build, and what every test of it must leave behind: nothing reported,
// nothing alive.
#include <cstdio>

#include "tests/support/device/cuda_device.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/graph.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/nccl_communicator.h"
#include "tests/support/simt/report.h"
#include "tests/support/simt/seed.h"

namespace rallrec::testing {
namespace {

class CleanEnd : public ::testing::EmptyTestEventListener {
  void OnTestProgramStart(const ::testing::UnitTest& /*program*/) override {
    std::printf("[ simt ] RALLREC_SIMT_SEED=%llu\n", static_cast<unsigned long long>(simt::seed()));
  }

  void OnTestEnd(const ::testing::TestInfo& /*test*/) override {
    const std::string alive = simt::drop_nccl_communicators() + simt::drop_graphs() +
                              simt::Device::instance().drop_everything() + simt::drop_allocations();
    if (!alive.empty()) {
      ADD_FAILURE() << "left alive on the device: " << alive;
    }
    for (const std::string& text : simt::take_reports()) {
      ADD_FAILURE() << text;
    }
  }
};

// gtest's listeners are there before main, and ours is wanted in every test program.
const bool kListens = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new CleanEnd);
  return true;
}();

}  // namespace

const char* gpu_column_name() { return kListens ? "simt" : ""; }

std::unique_ptr<TestDevice> open_gpu_column(std::string& /*why*/) { return make_cuda_device(); }

}  // namespace rallrec::testing
