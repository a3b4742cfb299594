// One NCCL and one OpenMP runtime in the process, also once libtorch's CUDA half has come.
#include <ATen/ATen.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>
#include <nccl.h>

#include <string>

#include "distributed/nccl_communicator.h"
#include "tests/support/device/test_device.h"

namespace rallrec::distributed {
namespace {

// Loaded libraries whose file name begins with `prefix`, one per line.
std::string loaded(const std::string& prefix) {
  struct Search {
    std::string prefix;
    std::string found;
  } search{prefix, ""};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        auto* wanted = static_cast<Search*>(data);
        const std::string path = info->dlpi_name;
        const std::string name = path.substr(path.rfind('/') + 1);
        if (name.rfind(wanted->prefix, 0) == 0) {
          wanted->found += path + "\n";
        }
        return 0;
      },
      &search);
  return search.found;
}

void expect_one(const std::string& prefix) {
  const std::string found = loaded(prefix);
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << prefix << ": " << found;
}

TEST(OneRuntime, NcclIsTheOneOfTorchesPin) {
  int version = 0;
  ASSERT_EQ(ncclGetVersion(&version), ncclSuccess);
  EXPECT_EQ(version, NCCL_VERSION_CODE);
  EXPECT_EQ(version, 22809);
}

TEST(OneRuntime, OfNcclAndOfOpenMpWithTorchesCudaHalf) {
  ASSERT_EQ(at::ones({2}).sum().item<float>(), 2.0F);
  expect_one("libnccl.so");
  expect_one("libgomp");
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const std::string why = dlerror();
    if (rallrec::testing::gpu_is_required()) {
      FAIL() << why;
    }
    GTEST_SKIP() << why;
  }
  expect_one("libtorch_cuda.so");
  expect_one("libnccl.so");
  expect_one("libgomp");
  EXPECT_EQ(loaded("libprotobuf"), "");
}

}  // namespace
}  // namespace rallrec::distributed
