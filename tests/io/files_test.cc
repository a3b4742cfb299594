#include "io/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "io/earlier_results.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

namespace fs = std::filesystem;
using rallrec::testing::expect_error;

TEST(RequirePlainFile, TakesFilesAndLinksToThemAndNothingElse) {
  const rallrec::testing::TemporaryFolder folder;
  require_plain_file(folder.put("a", ""));
  fs::create_symlink("a", folder.file("link"));
  require_plain_file(folder.file("link"));
  expect_error(ExitCode::kMissingInput, "none: no such file",
               [&] { require_plain_file(folder.file("none")); });
  expect_error(ExitCode::kBadData, "is a folder", [&] { require_plain_file(folder.path()); });
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  expect_error(ExitCode::kUsage, "pipe: is a pipe",
               [&] { require_plain_file(folder.file("pipe")); });
}

TEST(RequirePlaceFor, NeedsTheFolderAndNoFolderOfThatName) {
  const rallrec::testing::TemporaryFolder folder;
  require_place_for(folder.file("new"));
  require_place_for(folder.put("old", ""));
  require_place_for("/dev/stdout");
  expect_error(ExitCode::kMissingInput, "sub: no such folder",
               [&] { require_place_for(folder.file("sub/new")); });
  expect_error(ExitCode::kIo, folder.path(), [&] { require_place_for(folder.path()); });
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(RemoveEarlierResults, TakesFilesAndLeavesEverythingElse) {
  const rallrec::testing::TemporaryFolder folder;
  folder.put("metrics.json", "x");
  folder.put("notes.txt", "x");
  fs::create_symlink("notes.txt", folder.file("link"));
  fs::create_directory(folder.file("folder"));
  remove_earlier_results({folder.file("metrics.json"), folder.file("none"), folder.file("link"),
                          folder.file("folder"), "/dev/stdout"});
  EXPECT_FALSE(file_exists(folder.file("metrics.json")));
  for (const char* name : {"notes.txt", "link", "folder"}) {
    EXPECT_TRUE(file_exists(folder.file(name))) << name;
  }
}

TEST(RequirePlaceFor, NeedsAFolderThatTakesNewFiles) {
  const rallrec::testing::TemporaryFolder folder;
  const std::string closed = folder.file("closed");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(closed.c_str(), 0555), 0);
  const uid_t user = ::geteuid();
  // The superuser may write everywhere.
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::seteuid(user == 0 ? kNobody : user), 0);
  expect_error(ExitCode::kIo, "closed/new", [&] { require_place_for(closed + "/new"); });
  ASSERT_EQ(::seteuid(user), 0);
}

TEST(NewFolder, GoesAgainWithItsParentsWhereItStaysEmpty) {
  const rallrec::testing::TemporaryFolder folder;
  {
    const NewFolder made(folder.file("a/b/"));
    EXPECT_TRUE(fs::is_directory(folder.file("a/b")));
  }
  EXPECT_EQ(folder.entries(), 0U);
  {
    const NewFolder made(folder.file("a/b"));
    folder.put("a/x", "kept");
  }
  EXPECT_FALSE(fs::exists(folder.file("a/b")));
  EXPECT_EQ(folder.get("a/x"), "kept");
}

TEST(NewFolder, LeavesWhatWasThereBefore) {
  const rallrec::testing::TemporaryFolder folder;
  fs::create_directory(folder.file("a"));
  { const NewFolder made(folder.file("a")); }
  EXPECT_TRUE(fs::is_directory(folder.file("a")));
}

TEST(TemporaryFolder, GoesWithItsContentUnlessItWasRenamed) {
  const rallrec::testing::TemporaryFolder folder;
  {
    const TemporaryFolder unfinished(folder.file("t"));
    folder.put("t/x", "half");
  }
  EXPECT_EQ(folder.entries(), 0U);
  {
    const TemporaryFolder unfinished(folder.file("t"));
    folder.put("t/x", "whole");
    fs::rename(unfinished.path(), folder.file("done"));
  }
  EXPECT_EQ(folder.get("done/x"), "whole");
}

}  // namespace
}  // namespace rallrec::io
