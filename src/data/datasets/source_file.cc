#include "data/datasets/source_file.h"

#include <limits>

#include "core/error.h"
#include "io/files.h"
#include "io/input_file.h"
#include "io/row_scanner.h"
#include "io/utf8.h"

namespace rallrec::data {

std::string file_of(const std::string& path, const std::string& name) {
  if (path.empty()) throw_usage("data.path is empty: give the folder with the raw files");
  std::string file = io::is_folder(path) ? path + "/" + name : path;
  if (!io::file_exists(file)) {
    throw_missing(file, "no such file; data.path must name the folder that holds " + name +
                            ", or the file itself");
  }
  return file;
}

io::DelimitedOptions delimited_options(const std::string& file, const std::string& separator,
                                       std::size_t fields, const ReadOptions& options) {
  io::DelimitedOptions result;
  result.separator = separator;
  result.fields = fields;
  result.bad_rows.max_bad_rows = options.max_bad_rows;
  if (!options.rejects_folder.empty()) {
    result.bad_rows.rejects_path = options.rejects_folder + "/" + io::name_of(file) + ".rejects";
  }
  return result;
}

io::Encoding guess_encoding(const std::string& file) {
  const bool utf8 = io::find_invalid_utf8(io::read_file(file)) == std::string::npos;
  return utf8 ? io::Encoding::kUtf8 : io::Encoding::kLatin1;
}

std::string first_line(const std::string& file) {
  const io::InputFile input(file);
  io::RowScanner scanner(input);
  io::Row row;
  return scanner.next_line(&row) ? row.text : "";
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + separator.size();
  }
}

std::string_view trim_end(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::int64_t get_whole(const io::DelimitedRow& row, std::size_t i, std::string_view name,
                       std::int64_t low, std::int64_t high) {
  const std::int64_t value = row.get_int(i, name);
  if (value < low || value > high) {
    row.fail(i, std::string(name) + ": expected a whole number from " + std::to_string(low) +
                    " to " + std::to_string(high) + ", found " + std::to_string(value));
  }
  return value;
}

std::string get_numeric_id(const io::DelimitedRow& row, std::size_t i, std::string_view name) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
  return std::to_string(get_whole(row, i, name, 1, kLargest));
}

std::int32_t get_known_id(const io::DelimitedRow& row, std::size_t i, std::string_view name,
                          const IdMap& known, const std::string& file) {
  const std::int32_t id = known.find(get_numeric_id(row, i, name));
  if (id < 0) {
    row.fail(i, std::string(name) + ": " + std::string(row[i]) + " is not in " + io::name_of(file));
  }
  return id;
}

void require_new(const io::DelimitedRow& row, std::size_t i, std::string_view name,
                 const IdMap& known, std::string_view id) {
  if (known.find(id) >= 0) {
    row.fail(i, std::string(name) + ": " + std::string(id) + " occurs more than once");
  }
}

}  // namespace rallrec::data
