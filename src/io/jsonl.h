#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/bad_rows.h"
#include "io/input_file.h"
#include "io/json_parser.h"
#include "io/json_record.h"

namespace rallrec::io {

struct JsonlOptions {
  std::size_t max_record_bytes = kDefaultRowLimit;
  BadRowPolicy bad_rows;
};

// What --max-bad-rows means for the file `path`: bad rows go to <path>.rejects where `keeps` (one
// rank of those that read it) and `path` is no pipe.
JsonlOptions with_bad_rows(const std::string& path, std::int64_t max_bad_rows, bool keeps);

using RecordVisitor = std::function<void(const JsonRecord&)>;

// Calls `visit` for each record of a file, in order, in one pass: JSON Lines (one object per line;
// blank lines are skipped; a byte order mark, "\r\n" and a last line without an end are accepted)
// or one JSON array of objects. What is refused in a record: see parse_json. Bad rows, also those
// for which `visit` throws bad data, follow the policy. Works on pipes. Returns the number of
// records visited without error.
std::int64_t for_each_record(const std::string& path, const JsonlOptions& options,
                             const RecordVisitor& visit);

// A file of records read by position, so that each rank parses only its own. Construction makes one
// pass that checks every record and notes where it is (32 bytes each); records that the policy puts
// aside are not counted. The same on every rank. Records of a pipe are kept in memory.
class JsonlFile {
 public:
  // `check` is called on each record during the pass; bad data that it throws follows the policy.
  explicit JsonlFile(const std::string& path, const JsonlOptions& options = {},
                     const RecordVisitor& check = nullptr);

  const std::string& path() const { return file_.path(); }
  std::int64_t size() const;
  // 0 <= index < size(). Not for several threads at once.
  JsonRecord read(std::int64_t index);

 private:
  InputFile file_;
  JsonParser parser_;
  std::vector<RowPlace> places_;
  std::vector<std::string> kept_;
};

}  // namespace rallrec::io
