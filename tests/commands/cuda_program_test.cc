// The program of a build with CUDA: what it needs at run time, and what it says where there is no
// GPU.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "tests/commands/program.h"

namespace rallrec::testing {
namespace {

// Lines of `text` that hold `name`.
int lines_with(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    count += line.find(name) != std::string::npos ? 1 : 0;
  }
  return count;
}

TEST(CudaProgram, SaysThatItHasCuda) {
  const Outcome outcome = rallrec({"--version"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find(", CUDA)"), std::string::npos) << outcome.out;
}

TEST(CudaProgram, LoadsOneOfEachRuntime) {
  // The dynamic linker lists what it would load, and starts nothing.
  const Outcome outcome = rallrec({}, {"LD_TRACE_LOADED_OBJECTS=1"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(lines_with(outcome.out, "not found"), 0) << outcome.out;
  // None as long as no command talks over NCCL; tests/distributed/one_runtime_test.cc has it
  // loaded.
  EXPECT_LE(lines_with(outcome.out, "libnccl.so"), 1) << outcome.out;
  EXPECT_EQ(lines_with(outcome.out, "libgomp"), 1) << outcome.out;
  EXPECT_EQ(lines_with(outcome.out, "libprotobuf"), 0) << outcome.out;
}

// Where there is a driver its GPUs are hidden from the program.
TEST(CudaProgram, RefusesDeviceCudaWithoutAGpu) {
  const bool driver = dlopen("libcuda.so.1", RTLD_LAZY) != nullptr;
  const std::string expected = driver ? "cluster.device: no GPU is visible; see nvidia-smi"
                                      : "cluster.device: no CUDA driver (libcuda.so.1)";
  for (const char* command : {"config show", "light_gcn --interactions no --output such",
                              "align --text no --graph such --output file"}) {
    std::istringstream words(command);
    std::vector<std::string> arguments{std::istream_iterator<std::string>(words), {}};
    arguments.insert(arguments.end(), {"--device", "cuda"});
    const Outcome outcome = rallrec(arguments, {"CUDA_VISIBLE_DEVICES=-1"});
    EXPECT_EQ(outcome.code, 64) << outcome.err;
    EXPECT_EQ(lines_with(outcome.err, expected), 1) << outcome.err;
    EXPECT_EQ(lines_with(outcome.err, "--device cpu"), 1) << outcome.err;
    EXPECT_LE(lines_in(outcome.err), 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CudaProgram, StartsInAFractionOfASecond) {
  std::vector<double> seconds;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(rallrec({"--help"}).code, 0);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  EXPECT_LT(*std::min_element(seconds.begin(), seconds.end()), 1.0);
}

}  // namespace
}  // namespace rallrec::testing
