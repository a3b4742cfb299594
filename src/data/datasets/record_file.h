#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/datasets/source_file.h"
#include "io/json_record.h"

namespace rallrec::data {

// A file whose rows are records of named values, in one of three forms: CSV (RFC 4180 with a header
// line, values are texts), one JSON object per line, or one Python dict per line (dumps of 2014).
enum class RecordForm { kCsv, kJson, kPython };

struct RecordFile {
  std::string path;
  RecordForm form = RecordForm::kCsv;
  // The columns of the header, or the keys of the first record. None where the first line is
  // neither.
  std::vector<std::string> keys;

  bool has(const std::string& key) const;
};

// Looks at the first line: what begins with '{' is JSON where it can be, else Python.
RecordFile open_records(const std::string& path);

using RecordVisitor = std::function<void(const io::JsonRecord&)>;

// Calls `visit` for each record in order, under the bad-row policy of `options`; rows may have up
// to 16 MiB. With `shares` the ranks share the rows as in for_each_shared_row (collective), and a
// row of CSV ends at its line's end. Otherwise every rank visits all, and quoted fields of CSV may
// run over line ends.
io::RowCounts for_each_record(const RecordFile& file, bool shares, const ReadOptions& options,
                              const RecordVisitor& visit);

}  // namespace rallrec::data
