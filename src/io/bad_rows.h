#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "io/atomic_file.h"

namespace rallrec::io {

// What to do with rows that cannot be read.
struct BadRowPolicy {
  // Bad rows that are put aside before one is an error (--max-bad-rows).
  std::int64_t max_bad_rows = 0;
  // Where they go: for each, a line "# path:line:column: reason" and then the row as it was. Empty:
  // they are only counted. Ranks that read the same file must not share a name: let rank 0 alone
  // name one.
  std::string rejects_path;
};

// A row that cannot be read, and why.
struct BadRow {
  Error error;
  std::string row;
};

// Counts and keeps the bad rows of one file.
class BadRows {
 public:
  explicit BadRows(BadRowPolicy policy) : policy_(std::move(policy)) {}

  // Puts a row aside. Throws `error` itself where none is allowed, or one that names the limit
  // where it is used up. An error other than bad data is thrown as it is.
  void reject(const Error& error, std::string_view row);
  // Publishes the .rejects file and says so where there is something in it; else removes that of an
  // earlier reading. Call once, after the last row.
  void finish();
  std::int64_t count() const { return count_; }

 private:
  BadRowPolicy policy_;
  std::int64_t count_ = 0;
  std::unique_ptr<AtomicFile> file_;
};

}  // namespace rallrec::io
