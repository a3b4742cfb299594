#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/bad_rows.h"
#include "io/row_scanner.h"

namespace rallrec::io {

enum class Encoding { kUtf8, kLatin1, kWindows1252 };

// What double quotes mean.
enum class Quotes {
  // Text.
  kText,
  // RFC 4180: a field may stand in quotes, "" within them is one.
  kDoubled,
  // A field may stand in quotes and ends only at a quote before the row's end, or before a
  // separator behind which the next field begins, in quotes or as NULL. All other quotes, and
  // separators, are text; \" is a quote. What the Book-Crossing dump needs.
  kLoose
};

struct DelimitedOptions {
  // One or more bytes of ASCII: "\t", "::", "|", ",", ";".
  std::string separator = "\t";
  // Of the file; fields are UTF-8. Bad rows: invalid UTF-8, NUL, a byte order mark within the file.
  Encoding encoding = Encoding::kUtf8;
  Quotes quotes = Quotes::kText;
  // With kDoubled: a quoted field may run over line ends.
  bool quoted_line_ends = false;
  // Fields each row must have; 0 = any number.
  std::size_t fields = 0;
  std::size_t max_row_bytes = kDefaultRowLimit;
  BadRowPolicy bad_rows;
  // The rows that are visited; with quoted_line_ends all of them.
  RowRange range;
  // Where not null, bad rows are kept here, whatever the policy, and the visit ends after one more
  // than bad_rows.max_bad_rows of them or at an error that is no bad data.
  std::vector<BadRow>* kept_bad_rows = nullptr;
};

// One row's fields, valid during the visit. Getters that fail are bad data at the field's place:
// "u.data:12:9: rating: expected a number, found 'x'".
class DelimitedRow {
 public:
  std::size_t size() const { return fields_.size(); }
  std::string_view operator[](std::size_t i) const { return fields_[i]; }
  std::uint64_t line() const { return row_.place.line; }

  // `name` is for messages. A row without that field is bad data.
  std::string_view get_text(std::size_t i, std::string_view name) const;
  // The whole field as a decimal integer.
  std::int64_t get_int(std::size_t i, std::string_view name) const;
  // The whole field as a finite decimal number.
  double get_number(std::size_t i, std::string_view name) const;

  std::string where(std::size_t i) const;
  [[noreturn]] void fail(std::size_t i, const std::string& message) const;

 private:
  friend class RowSplitter;
  std::string path_;
  Row row_;
  std::string decoded_;
  std::string unquoted_;
  std::vector<std::string_view> fields_;
  std::vector<std::size_t> starts_;  // byte of each field in the row
};

using RowVisitor = std::function<void(const DelimitedRow&)>;

struct RowCounts {
  std::int64_t visited = 0;
  std::int64_t rejected = 0;
};

// Calls `visit` for each row of a file, in order, the first included (a header is the caller's
// matter: row.line() is 1). Empty lines are skipped; a byte order mark, "\r\n" and a last line
// without an end are accepted. Bad rows, also those for which `visit` throws bad data, follow the
// policy. `visited` counts the rows without error.
RowCounts for_each_row(const std::string& path, const DelimitedOptions& options,
                       const RowVisitor& visit);

}  // namespace rallrec::io
