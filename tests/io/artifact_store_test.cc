#include "io/artifact_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

// SHA-256 of "abc", from FIPS 180-2.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Manifest example() {
  Manifest manifest;
  manifest.stage = "tune";
  manifest.code_version = "0.1.0+abc";
  manifest.config_sha256 = "c0";
  manifest.model_sha256 = "m0";
  manifest.inputs = {{"prompt/train.jsonl", 3, kAbc}};
  manifest.outputs = {{"tune/adapter/a", 5, "00"}, {"tune/b", 0, "11"}};
  manifest.seconds = 1.25;
  manifest.ranks = 2;
  manifest.threads = 4;
  manifest.figures = {
      {"prompts", std::int64_t{512}}, {"loss", 0.5}, {"device", std::string("cpu")}};
  return manifest;
}

TEST(ManifestFile, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  write_manifest(folder.file("manifest.json"), example());
  const auto read = read_manifest(folder.file("manifest.json"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(key_of(*read), key_of(example()));
  ASSERT_EQ(read->outputs.size(), 2U);
  EXPECT_EQ(read->outputs[0].path, "tune/adapter/a");
  EXPECT_EQ(read->outputs[0].size, 5U);
  EXPECT_EQ(read->seconds, 1.25);
  EXPECT_EQ(read->ranks, 2);
  EXPECT_EQ(read->threads, 4);
  EXPECT_EQ(read->figures, example().figures);
}

TEST(ManifestFile, MissingDamagedOrForeignFilesAreNone) {
  const TemporaryFolder folder;
  EXPECT_FALSE(read_manifest(folder.file("none.json")).has_value());
  EXPECT_FALSE(read_manifest(folder.path()).has_value());
  write_manifest(folder.file("manifest.json"), example());
  const std::string good = folder.get("manifest.json");
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[1]"), good.substr(0, good.size() / 2),
        std::string("{\"format_version\": 1}"), std::string("{\"format_version\": 99}"),
        std::string(1000, '[')}) {
    EXPECT_FALSE(read_manifest(folder.put("bad.json", text)).has_value()) << text;
  }
}

TEST(ManifestKey, DependsOnWhatDecidesTheResultOnly) {
  const std::string key = key_of(example());
  Manifest other = example();
  other.seconds = 9;
  other.ranks = 7;
  other.outputs.clear();
  other.figures.clear();
  EXPECT_EQ(key_of(other), key);
  other = example();
  other.config_sha256 = "c1";
  EXPECT_NE(key_of(other), key);
  other = example();
  other.model_sha256 = "m1";
  EXPECT_NE(key_of(other), key);
  other = example();
  other.code_version = "0.2";
  EXPECT_NE(key_of(other), key);
  other = example();
  other.inputs[0].sha256 = "ff";
  EXPECT_NE(key_of(other), key);
}

TEST(FileHashesRecord, HashesTheContent) {
  const TemporaryFolder folder;
  FileHashes hashes(folder.file("memory.json"));
  const FileRecord record = hashes.record(folder.put("x", "abc"), "name");
  EXPECT_EQ(record.path, "name");
  EXPECT_EQ(record.size, 3U);
  EXPECT_EQ(record.sha256, kAbc);
  expect_error(ExitCode::kMissingInput, "none", [&] { hashes.record(folder.file("none"), "n"); });
}

TEST(FileHashesRecord, ReadsSmallFilesEveryTime) {
  const TemporaryFolder folder;
  FileHashes hashes(folder.file("memory.json"));
  const std::string path = folder.put("x", "abc");
  const auto time = std::filesystem::last_write_time(path);
  const std::string before = hashes.record(path, "x").sha256;
  folder.put("x", "abd");
  std::filesystem::last_write_time(path, time);
  EXPECT_NE(hashes.record(path, "x").sha256, before);
}

// A sparse file of the size from which hashes are remembered, with an old modification time.
std::string large_file(const TemporaryFolder& folder) {
  const std::string path = folder.put("large", "start");
  std::filesystem::resize_file(path, FileHashes::kRememberedSize);
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(path, now - std::chrono::hours(1));
  return path;
}

TEST(FileHashesRecord, RemembersLargeFilesUntilSizeOrTimeChange) {
  const TemporaryFolder folder;
  const std::string path = large_file(folder);
  std::string first;
  {
    FileHashes hashes(folder.file("memory.json"));
    first = hashes.record(path, "x").sha256;
    hashes.save();
  }
  // A remembered hash that is plainly false shows whether the file was read.
  std::string memory = folder.get("memory.json");
  const std::size_t at = memory.find(first);
  ASSERT_NE(at, std::string::npos);
  folder.put("memory.json", memory.replace(at, 4, "beef"));
  FileHashes again(folder.file("memory.json"));
  EXPECT_EQ(again.record(path, "x").sha256.substr(0, 4), "beef");
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_EQ(again.record(path, "x").sha256, first);
}

TEST(FileHashesRecord, NoticesOtherBytesUnderTheOldTime) {
  const TemporaryFolder folder;
  const std::string path = folder.put("x", std::string(FileHashes::kRememberedSize, 'a'));
  const auto old = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  std::filesystem::last_write_time(path, old);
  FileHashes hashes(folder.file("memory.json"));
  const std::string first = hashes.record(path, "x").sha256;
  folder.put("x", std::string(FileHashes::kRememberedSize, 'b'));
  std::filesystem::last_write_time(path, old);
  EXPECT_NE(hashes.record(path, "x").sha256, first);
}

std::string old_file(const TemporaryFolder& folder, const std::string& name, char content) {
  const std::string path = folder.put(name, std::string(FileHashes::kRememberedSize, content));
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  return path;
}

TEST(FileHashesSave, KeepsWhatAnotherProcessAdded) {
  const TemporaryFolder folder;
  const std::string memory = folder.file("made/here/memory.json");
  FileHashes one(memory);
  FileHashes other(memory);
  const std::string a = one.record(old_file(folder, "a", 'a'), "a").sha256;
  const std::string b = other.record(old_file(folder, "b", 'b'), "b").sha256;
  one.save();
  other.save();
  const std::string kept = folder.get("made/here/memory.json");
  EXPECT_NE(kept.find(a), std::string::npos);
  EXPECT_NE(kept.find(b), std::string::npos);
}

TEST(FileHashesSave, IsAWarningWhereItCannotBeWritten) {
  const TemporaryFolder folder;
  folder.put("file", "");
  FileHashes hashes(folder.file("file/memory.json"));
  hashes.record(old_file(folder, "a", 'a'), "a");
  EXPECT_NO_THROW(hashes.save());
}

TEST(FileHashesRecord, TakesADamagedMemoryAsEmpty) {
  const TemporaryFolder folder;
  for (const char* text : {"", "{", "[3]", "{\"/x\": 3}"}) {
    FileHashes hashes(folder.put("memory.json", text));
    EXPECT_EQ(hashes.record(folder.put("x", "abc"), "x").sha256, kAbc);
  }
}

TEST(RemoveTemporaryFiles, LeavesTheRest) {
  const TemporaryFolder folder;
  folder.put("kept", "1");
  folder.put(".hidden", "1");
  folder.put(".kept.tmp-12-1", "1");
  std::filesystem::create_directories(folder.file(".adapter.tmp-9-new/x"));
  std::filesystem::create_directories(folder.file("below"));
  folder.put("below/.z.tmp-1-1", "1");
  remove_temporary_files(folder.path());
  EXPECT_EQ(folder.get("kept") + folder.get(".hidden") + folder.get("below/.z.tmp-1-1"), "111");
  EXPECT_EQ(folder.entries(), 3U);
  remove_temporary_files(folder.file("none"));
}

TEST(FilesBelow, ListsFoldersSortedWithoutTemporaries) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("a/c"));
  folder.put("a/z", "1");
  folder.put("a/c/y", "1");
  folder.put("a/.z.tmp-12-1", "1");
  EXPECT_EQ(files_below(folder.path(), "a"), (std::vector<std::string>{"a/c/y", "a/z"}));
  EXPECT_EQ(files_below(folder.path(), "a/z"), (std::vector<std::string>{"a/z"}));
  EXPECT_TRUE(files_below(folder.path(), "none").empty());
}

}  // namespace
}  // namespace rallrec::io
