#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/input_file.h"

namespace rallrec::io {

// The largest row that is read where the caller sets no limit of its own.
constexpr std::size_t kDefaultRowLimit = std::size_t{1} << 20;

// Where a row starts: a byte offset into the file, and line and column for people (both from 1,
// columns in bytes).
struct RowPlace {
  std::uint64_t offset = 0;
  std::uint64_t line = 1;
  std::uint64_t column = 1;
  std::uint64_t length = 0;  // bytes, without the line's end
};

struct Row {
  RowPlace place;
  std::string text;
  // The row was longer than the limit: `text` holds its beginning, place.length all of it.
  bool too_long = false;
};

// The rows of a file that start in [begin, end); `begin` is the start of line `first_line`.
struct RowRange {
  std::uint64_t begin = 0;
  std::uint64_t end = ~std::uint64_t{0};
  std::uint64_t first_line = 1;
};

// "path:line:column".
std::string where(const std::string& path, const RowPlace& place);
// "path:line:column" of byte `at` of a row that may span several lines.
std::string where(const std::string& path, const Row& row, std::size_t at);

// Cuts a file into rows in one pass with a fixed buffer. A byte order mark at the start is skipped.
// Works on pipes, row by row as they come.
class RowScanner {
 public:
  // `file` outlives the scanner. A range is for next_line alone, and for files that are no pipes.
  explicit RowScanner(const InputFile& file, std::size_t max_row_bytes = kDefaultRowLimit,
                      const RowRange& range = {});

  // The next line, without "\n" or "\r\n"; a last line without an end counts. False at the end
  // of the file or the range.
  bool next_line(Row* row);

  // True where the first byte that is not blank is '[': the file is one JSON array.
  bool starts_json_array();
  // The next element of that array, cut at the commas of its first level; call only where
  // starts_json_array(). False after ']'. Errors in the array's own punctuation are bad data.
  bool next_array_element(Row* row);

 private:
  static constexpr int kEnd = -1;

  bool fill();
  int peek();
  void advance();
  void skip_blanks();
  void begin(Row* row) const;
  void append(Row* row, const char* bytes, std::size_t count) const;
  void scan_element(Row* row);
  [[noreturn]] void fail(const std::string& message) const;

  const InputFile& file_;
  std::size_t max_row_bytes_;
  std::uint64_t range_end_;
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  RowPlace place_;
  bool in_array_ = false;
};

}  // namespace rallrec::io
