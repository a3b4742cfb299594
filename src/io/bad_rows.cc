#include "io/bad_rows.h"

#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>

namespace rallrec::io {
namespace {

constexpr std::string_view kReasonMark = "# ";

// What an earlier reading put aside says nothing about this one. A file that is not of ours stays.
void remove_earlier(const std::string& path) {
  std::string begin(kReasonMark.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  if (file.read(begin.data(), static_cast<std::streamsize>(begin.size())) && begin == kReasonMark) {
    std::error_code ignored;  // such as a folder that may only be read
    std::filesystem::remove(path, ignored);
  }
}

}  // namespace

void BadRows::reject(const Error& error, std::string_view row) {
  if (error.code() != ExitCode::kBadData || policy_.max_bad_rows <= 0) {
    throw error;
  }
  if (!policy_.rejects_path.empty()) {
    if (file_ == nullptr) {
      file_ = std::make_unique<AtomicFile>(policy_.rejects_path);
    }
    file_->write(kReasonMark);
    file_->write(error.what());
    file_->write("\n");
    file_->write(row);
    file_->write("\n");
  }
  if (++count_ > policy_.max_bad_rows) {
    finish();
    throw Error(ExitCode::kBadData, std::string(error.what()) + " (bad row number " +
                                        std::to_string(count_) + "; --max-bad-rows allows " +
                                        std::to_string(policy_.max_bad_rows) + ")");
  }
}

void BadRows::finish() {
  if (file_ != nullptr) {
    file_->commit();
    file_.reset();
    spdlog::warn("{} bad rows were set aside in {}", count_, policy_.rejects_path);
  } else if (count_ == 0 && !policy_.rejects_path.empty()) {
    remove_earlier(policy_.rejects_path);
  }
}

}  // namespace rallrec::io
