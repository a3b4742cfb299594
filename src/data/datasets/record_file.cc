#include "data/datasets/record_file.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "data/datasets/shared_rows.h"
#include "io/python_literal.h"

namespace rallrec::data {
namespace {

constexpr std::size_t kLongestRow = std::size_t{16} << 20;

// A row of CSV as an object of texts under the names of the header.
io::JsonValue object_of(const io::DelimitedRow& row, const std::vector<std::string>& names) {
  io::JsonValue::Object object;
  for (std::size_t i = 0; i < names.size(); ++i) {
    object.push_back({names[i], io::JsonValue(std::string(row[i]))});
  }
  return io::JsonValue(std::move(object));
}

class RecordReader {
 public:
  explicit RecordReader(RecordForm form) : form_(form) {}

  bool read(std::string_view text, io::JsonValue* value, io::JsonParser::Problem* problem) {
    return form_ == RecordForm::kJson ? parser_.parse(text, value, problem)
                                      : io::parse_python_literal(text, value, problem);
  }

  // Of a row that is one line of JSON or of Python.
  io::JsonRecord record(const std::string& path, const io::DelimitedRow& row) {
    io::Row line;
    line.place.line = row.line();
    line.text = std::string(row[0]);
    io::JsonValue value;
    io::JsonParser::Problem problem;
    if (!read(line.text, &value, &problem)) {
      throw_bad_data(io::where(path, line, problem.at), problem.message);
    }
    return {path, std::move(line), std::move(value)};
  }

 private:
  RecordForm form_;
  io::JsonParser parser_;
};

io::DelimitedOptions format_of(const RecordFile& file, bool shares, const ReadOptions& options) {
  const bool csv = file.form == RecordForm::kCsv;
  io::DelimitedOptions format =
      delimited_options(file.path, csv ? "," : "\n", csv ? file.keys.size() : 0, options);
  format.max_row_bytes = kLongestRow;
  if (csv) {
    format.quotes = io::Quotes::kDoubled;
    format.quoted_line_ends = !shares;
  }
  return format;
}

std::vector<std::string> keys_of(const io::JsonValue& value) {
  std::vector<std::string> keys;
  if (value.object() == nullptr) return keys;
  for (const io::JsonMember& member : *value.object()) keys.push_back(member.key);
  return keys;
}

}  // namespace

bool RecordFile::has(const std::string& key) const {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

RecordFile open_records(const std::string& path) {
  const std::string line = first_line(path, kLongestRow);
  RecordFile file{path, RecordForm::kCsv, {}};
  if (line.substr(0, 1) != "{") {
    file.keys = header_fields(path, ",", io::Quotes::kDoubled);
    return file;
  }
  io::JsonValue value;
  io::JsonParser::Problem problem;
  for (const RecordForm form : {RecordForm::kJson, RecordForm::kPython}) {
    file.form = form;
    if (!RecordReader(form).read(line, &value, &problem)) continue;
    file.keys = keys_of(value);
    break;
  }
  return file;
}

io::RowCounts for_each_record(const RecordFile& file, bool shares, const ReadOptions& options,
                              const RecordVisitor& visit) {
  RecordReader reader(file.form);
  const bool csv = file.form == RecordForm::kCsv;
  const auto visit_row = [&](const io::DelimitedRow& row) {
    if (!csv) {
      visit(reader.record(file.path, row));
    } else if (row.line() > 1) {
      io::Row line;
      line.place.line = row.line();
      visit({file.path, std::move(line), object_of(row, file.keys)});
    }
  };
  const io::DelimitedOptions format = format_of(file, shares, options);
  return shares ? for_each_shared_row(file.path, format, options, visit_row)
                : io::for_each_row(file.path, format, visit_row);
}

}  // namespace rallrec::data
