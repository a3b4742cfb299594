#include "io/jsonl.h"

#include <filesystem>

#include "core/check.h"
#include "core/error.h"

namespace rallrec::io {
namespace {

bool is_blank(const Row& row) {
  return row.text.find_first_not_of(" \t") == std::string::npos && !row.too_long;
}

JsonRecord parse_record(const std::string& path, JsonParser& parser, Row row) {
  JsonValue value;
  JsonParser::Problem problem;
  if (!parser.parse(row.text, &value, &problem)) {
    throw_bad_data(where(path, row, problem.at), problem.message);
  }
  return JsonRecord(path, std::move(row), std::move(value));
}

[[noreturn]] void throw_too_long(const std::string& path, const Row& row, std::size_t limit) {
  throw_bad_data(where(path, row.place), "the record is " + std::to_string(row.place.length) +
                                             " bytes long; at most " + std::to_string(limit) +
                                             " are read");
}

// Calls visit(row) for every row of an open file under the policy; `visit` throws for a bad one.
template <typename Visit>
std::int64_t for_each_row_of(const InputFile& file, const JsonlOptions& options, BadRows& bad_rows,
                             const Visit& visit) {
  RowScanner scanner(file, options.max_record_bytes);
  const bool is_array = scanner.starts_json_array();
  std::int64_t good = 0;
  Row row;
  while (is_array ? scanner.next_array_element(&row) : scanner.next_line(&row)) {
    if (is_blank(row)) {
      continue;
    }
    try {
      if (row.too_long) {
        throw_too_long(file.path(), row, options.max_record_bytes);
      }
      visit(row);
      ++good;
    } catch (const Error& error) {
      bad_rows.reject(error, row.text);
    }
  }
  bad_rows.finish();
  return good;
}

}  // namespace

JsonlOptions with_bad_rows(const std::string& path, std::int64_t max_bad_rows, bool keeps) {
  JsonlOptions options;
  options.bad_rows.max_bad_rows = max_bad_rows;
  std::error_code ignored;
  if (keeps && std::filesystem::is_regular_file(path, ignored)) {
    options.bad_rows.rejects_path = path + ".rejects";
  }
  return options;
}

std::int64_t for_each_record(const std::string& path, const JsonlOptions& options,
                             const RecordVisitor& visit) {
  const InputFile file(path);
  JsonParser parser;
  BadRows bad_rows(options.bad_rows);
  return for_each_row_of(file, options, bad_rows,
                         [&](const Row& row) { visit(parse_record(path, parser, row)); });
}

JsonlFile::JsonlFile(const std::string& path, const JsonlOptions& options,
                     const RecordVisitor& check)
    : file_(path) {
  BadRows bad_rows(options.bad_rows);
  for_each_row_of(file_, options, bad_rows, [&](const Row& row) {
    const JsonRecord record = parse_record(path, parser_, row);
    if (check) {
      check(record);
    }
    places_.push_back(row.place);
    if (!file_.is_regular()) {
      kept_.push_back(row.text);
    }
  });
}

std::int64_t JsonlFile::size() const { return static_cast<std::int64_t>(places_.size()); }

JsonRecord JsonlFile::read(std::int64_t index) {
  RALLREC_CHECK(index >= 0 && index < size(), "record index out of range");
  const auto i = static_cast<std::size_t>(index);
  Row row;
  row.place = places_[i];
  if (file_.is_regular()) {
    row.text.resize(row.place.length);
    file_.read_exactly(row.place.offset, row.text.data(), row.text.size());
  } else {
    row.text = kept_[i];
  }
  return parse_record(file_.path(), parser_, std::move(row));
}

}  // namespace rallrec::io
