#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "io/artifact_store.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "io/hash.h"

namespace rallrec::io {
namespace {

namespace fs = std::filesystem;

// A file this young may change once more without its time changing.
constexpr std::int64_t kYoungNs = 3'000'000'000;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// AtomicFile's names.
bool is_temporary(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.front() == '.' && name.find(".tmp-") != std::string::npos;
}

}  // namespace

FileHashes::FileHashes(std::string memory)
    : memory_(std::move(memory)), remembered_(read_memory()) {}

std::map<std::string, FileHashes::Remembered> FileHashes::read_memory() const {
  std::map<std::string, Remembered> remembered;
  if (!file_exists(memory_) || is_folder(memory_)) {
    return remembered;
  }
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(memory_));
    for (const auto& [path, item] : json.items()) {
      remembered[path] = {
          item.at("size").get<std::uint64_t>(), item.at("modified_ns").get<std::int64_t>(),
          item.at("changed_ns").get<std::int64_t>(), item.at("sha256").get<std::string>()};
    }
  } catch (const nlohmann::json::exception&) {
    remembered.clear();
  }
  return remembered;
}

FileRecord FileHashes::record(const std::string& path, const std::string& name) {
  struct stat info {};
  const bool found = stat(path.c_str(), &info) == 0;
  const auto size = found ? static_cast<std::uint64_t>(info.st_size) : 0;
  const std::int64_t modified = nanoseconds(info.st_mtim);
  const std::int64_t changed = nanoseconds(info.st_ctim);
  const std::string absolute = fs::absolute(path).lexically_normal().string();
  const auto known = remembered_.find(absolute);
  if (found && size >= kRememberedSize && known != remembered_.end() &&
      known->second.size == size && known->second.modified_ns == modified &&
      known->second.changed_ns == changed) {
    return {name, size, known->second.sha256};
  }
  FileRecord record{name, size, sha256_of_file(path)};
  if (size >= kRememberedSize && now_ns() - modified > kYoungNs) {
    remembered_[absolute] = {size, modified, changed, record.sha256};
    added_.push_back(absolute);
  }
  return record;
}

void FileHashes::save() {
  if (added_.empty()) {
    return;
  }
  std::map<std::string, Remembered> all = read_memory();
  for (const std::string& path : added_) {
    all[path] = remembered_[path];
  }
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [path, item] : all) {
    json[path] = {{"size", item.size},
                  {"modified_ns", item.modified_ns},
                  {"changed_ns", item.changed_ns},
                  {"sha256", item.sha256}};
  }
  try {
    make_directories(folder_of(memory_));
    write_file_atomically(
        memory_, json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } catch (const Error& error) {
    spdlog::warn("hashes of large files are not kept: {}", error.what());
  }
  added_.clear();
}

std::vector<std::string> files_below(const std::string& folder, const std::string& relative) {
  const fs::path root = fs::path(folder) / relative;
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    return fs::is_regular_file(root, error) ? std::vector<std::string>{relative}
                                            : std::vector<std::string>{};
  }
  std::vector<std::string> files;
  fs::recursive_directory_iterator it(root, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_regular_file(error) && !is_temporary(it->path())) {
      files.push_back(it->path().lexically_relative(folder).string());
    }
  }
  if (error) {
    throw_io(root.string(), "listing the folder", error.value());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void remove_temporary_files(const std::string& folder) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (is_temporary(entry.path())) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& path : found) {
    fs::remove_all(path, ignored);
  }
}

}  // namespace rallrec::io
