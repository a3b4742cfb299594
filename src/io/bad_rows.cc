#include "io/bad_rows.h"

namespace rallrec::io {

void BadRows::reject(const Error& error, std::string_view row) {
  if (error.code() != ExitCode::kBadData || policy_.max_bad_rows <= 0) {
    throw error;
  }
  if (!policy_.rejects_path.empty()) {
    if (file_ == nullptr) {
      file_ = std::make_unique<AtomicFile>(policy_.rejects_path);
    }
    file_->write("# " + std::string(error.what()) + "\n");
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
  }
}

}  // namespace rallrec::io
