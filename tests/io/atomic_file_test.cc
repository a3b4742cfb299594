#include "io/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "io/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

TEST(AtomicFile, AppearsOnlyWithCommit) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a.txt", "old");
  {
    AtomicFile file(path);
    file.write("new ");
    file.write(std::string(200000, 'x'));
    file.write("!");
    EXPECT_EQ(folder.get("a.txt"), "old");
    file.commit();
  }
  EXPECT_EQ(folder.get("a.txt"), "new " + std::string(200000, 'x') + "!");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFile, LeavesNothingWhenAbandoned) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder.file("a.txt"));
    file.write("half");
    EXPECT_EQ(folder.entries(), 1u);
  }
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(AtomicFile, WritesEmptyFiles) {
  const TemporaryFolder folder;
  write_file_atomically(folder.file("empty"), "");
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_EQ(folder.get("empty"), "");
}

TEST(AtomicFile, ReportsAMissingFolderAndAFolderInTheWay) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kIo, "No such file or directory",
               [&] { write_file_atomically(folder.file("no/a"), "x"); });
  make_directories(folder.file("d"));
  expect_error(ExitCode::kIo, "Is a directory",
               [&] { write_file_atomically(folder.file("d"), "x"); });
}

TEST(AtomicFile, ReportsAFullDisk) {
  expect_error(ExitCode::kIo, "/dev/full: writing failed: No space left on device",
               [&] { write_file_atomically("/dev/full", std::string(100000, 'x')); });
}

// A limit on the file's size stands in for a disk that fills up while a file is being written: the
// first write is short, the next one fails.
TEST(AtomicFile, KeepsTheOldFileWhenWritingFails) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a.txt", "old");
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{100000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expect_error(ExitCode::kIo, path + ": writing failed: File too large",
               [&] { write_file_atomically(path, std::string(300000, 'x')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(folder.get("a.txt"), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFile, FollowsALink) {
  const TemporaryFolder folder;
  const std::string target = folder.put("target", "old");
  ASSERT_EQ(::symlink(target.c_str(), folder.file("link").c_str()), 0);
  write_file_atomically(folder.file("link"), "new");
  EXPECT_EQ(folder.get("target"), "new");
  struct stat status {};
  ASSERT_EQ(::lstat(folder.file("link").c_str(), &status), 0);
  EXPECT_TRUE(S_ISLNK(status.st_mode));
}

TEST(TemporaryFile, IsPublishedOrRemoved) {
  const TemporaryFolder folder;
  { const TemporaryFile file(folder.file("a")); }
  EXPECT_EQ(folder.entries(), 0u);
  TemporaryFile file(folder.file("a"));
  folder.put(name_of(file.name()), "bytes");
  file.publish();
  EXPECT_EQ(folder.get("a"), "bytes");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(Files, ReadFile) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a", std::string("a\0b", 3) + std::string(70000, 'c'));
  EXPECT_EQ(read_file(path), folder.get("a"));
  expect_error(ExitCode::kBadData, "at most 10", [&] { read_file(path, 10); });
  expect_error(ExitCode::kBadData, "is a folder", [&] { read_file(folder.path()); });
  expect_error(ExitCode::kMissingInput, "no such file", [&] { read_file(folder.file("b")); });
  expect_error(ExitCode::kMissingInput, "no such file", [&] { read_file(path + "/b"); });
  expect_error(ExitCode::kBadData, "longer than", [&] { read_file("/dev/zero", 100000); });
}

TEST(Files, MakesFoldersToAnyDepth) {
  const TemporaryFolder folder;
  make_directories(folder.file("a/b/c"));
  make_directories(folder.file("a/b/c/"));
  EXPECT_TRUE(is_folder(folder.file("a/b/c")));
  folder.put("f", "");
  expect_error(ExitCode::kIo, "f: is a file", [&] { make_directories(folder.file("f/g")); });
}

TEST(Files, SplitsNames) {
  EXPECT_EQ(folder_of("a/b/c.txt"), "a/b");
  EXPECT_EQ(folder_of("a/b/"), "a");
  EXPECT_EQ(folder_of("c.txt"), ".");
  EXPECT_EQ(folder_of("/c"), "/");
  EXPECT_EQ(folder_of("/"), "/");
  EXPECT_EQ(name_of("a/b/c.txt"), "c.txt");
  EXPECT_EQ(name_of("a/b/"), "b");
  EXPECT_EQ(name_of("c"), "c");
}

}  // namespace
}  // namespace rallrec::io
