#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "core/error.h"
#include "core/rng.h"
#include "io/hdf5_file.h"
#include "tests/support/soak.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::record_count;
using rallrec::testing::soak_count;
using rallrec::testing::TemporaryFolder;

constexpr int kFilesPerChild = 200;
constexpr unsigned kHangSeconds = 5;

std::string our_file(const TemporaryFolder& folder) {
  Hdf5Writer writer(folder.file("seed.h5"));
  writer.add("ids", std::vector<std::int32_t>{1, 2, 3, 4, 5});
  writer.add_matrix("vectors", std::vector<float>(24, 1.5F).data(), 6, 4);
  writer.add_strings("titles", {"one", "two", "three"});
  writer.set_attribute("rows", std::int64_t{5});
  writer.set_attribute("name", std::string("mutated"));
  writer.commit();
  return folder.get("seed.h5");
}

// The same names in forms that the reader refuses; the oldest format, or one with checksums.
std::string foreign_file(const TemporaryFolder& folder, bool oldest) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, oldest ? H5F_LIBVER_EARLIEST : H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(folder.file("seed.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  const hsize_t shape[2] = {64, 4};
  const hsize_t chunk[2] = {16, 2};
  const hid_t space = H5Screate_simple(2, shape, nullptr);
  const hid_t storage = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(storage, 2, chunk);
  H5Pset_shuffle(storage);
  H5Pset_deflate(storage, 6);
  const std::vector<float> values(256, 0.5F);
  for (const char* name : {"ids", "vectors"}) {
    const hid_t array = H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT,
                                   std::string(name) == "ids" ? H5P_DEFAULT : storage, H5P_DEFAULT);
    H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(array);
  }
  H5Pclose(storage);
  H5Sclose(space);
  H5Fclose(file);
  return folder.get("seed.h5");
}

std::string mutate(std::string bytes, Rng& rng) {
  for (std::uint64_t n = 1 + rng.next_below(8); n > 0 && !bytes.empty(); --n) {
    const std::size_t at = rng.next_below(std::min<std::size_t>(bytes.size(), 4096));
    switch (rng.next_below(5)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << rng.next_below(8));
        break;
      case 1:
        bytes[at] = static_cast<char>(rng.next_below(256));
        break;
      case 2:
        bytes.replace(at, 8, 8, rng.next_below(2) == 0 ? '\xFF' : '\0');
        break;
      case 3:
        bytes.replace(at, 4, bytes.substr(rng.next_below(bytes.size()), 4));
        break;
      default:
        if (rng.next_below(8) == 0) {
          bytes.resize(rng.next_below(bytes.size()));
        }
    }
  }
  return bytes;
}

// Reads all that the pipeline would. Anything but an Error of the right kind is a finding.
bool read_all(const std::string& path) {
  try {
    const Hdf5File file(path);
    const auto attempt = [](auto&& read) {
      try {
        read();
      } catch (const Error& error) {
        if (error.code() != ExitCode::kBadData) {
          throw;
        }
      }
    };
    attempt([&] { file.read<std::int32_t>("ids"); });
    attempt([&] { file.read_matrix<float>("vectors"); });
    attempt([&] { file.read_strings("titles"); });
    attempt([&] { file.int_attribute("rows"); });
    attempt([&] { file.string_attribute("name"); });
  } catch (const Error& error) {
    return error.code() == ExitCode::kBadData;
  }
  return true;
}

// Mutates and reads in a process of its own; returns the wait status.
// The damaged file lives in memory: a disk would be most of the test's time.
int run_child(const std::string& seed_bytes, std::uint64_t stream) {
  const pid_t child = ::fork();
  if (child == 0) {
    Rng rng(2026, stream);
    bool good = true;
    const int memory = ::memfd_create("damaged", 0);
    const std::string path = "/proc/self/fd/" + std::to_string(memory);
    for (int i = 0; i < kFilesPerChild; ++i) {
      const std::string bytes = mutate(seed_bytes, rng);
      good = ::ftruncate(memory, static_cast<off_t>(bytes.size())) == 0 && good;
      const auto count = static_cast<ssize_t>(bytes.size());
      good = ::pwrite(memory, bytes.data(), bytes.size(), 0) == count && good;
      ::alarm(kHangSeconds);
      good = read_all(path) && good;
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

constexpr double kSeconds = 8.0;

TEST(Hdf5Mutation, DamagedFilesNeitherCrashNorHang) {
  const TemporaryFolder folder;
  const std::string seeds[] = {our_file(folder), our_file(folder), foreign_file(folder, false),
                               foreign_file(folder, true)};
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::uint64_t children = 0;
  const auto wanted = static_cast<std::uint64_t>(soak_count("F5_files", 0, 50000));
  while (seconds() < kSeconds || children * kFilesPerChild < wanted) {
    const int status = run_child(seeds[children % 4], children);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "stream " << children << ": wait status " << status;
    ++children;
  }
  record_count("F5_files", static_cast<int>(children * kFilesPerChild));
  EXPECT_GT(children, 0u);
}

}  // namespace
}  // namespace rallrec::io
