#include "data/datasets/source_file.h"

#include <algorithm>
#include <filesystem>
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

std::vector<std::string> files_of(const std::string& folder,
                                  const std::vector<std::string>& extensions) {
  std::vector<std::string> found;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string extension = entry->path().extension().string();
    if (std::find(extensions.begin(), extensions.end(), extension) != extensions.end()) {
      found.push_back(entry->path().string());
    }
  }
  if (error) throw_io(folder, "listing the folder", error.value());
  std::sort(found.begin(), found.end());
  return found;
}

io::Encoding guess_encoding(const std::string& file, io::Encoding otherwise) {
  const bool utf8 = io::find_invalid_utf8(io::read_file(file)) == std::string::npos;
  return utf8 ? io::Encoding::kUtf8 : otherwise;
}

std::string first_line(const std::string& file, std::size_t max_bytes) {
  const io::InputFile input(file);
  io::RowScanner scanner(input, max_bytes);
  io::Row row;
  return scanner.next_line(&row) ? row.text : "";
}

std::vector<std::string> header_fields(const std::string& file, const std::string& separator,
                                       io::Quotes quotes) {
  io::DelimitedOptions format;
  format.separator = separator;
  format.quotes = quotes;
  // The first line may stand behind a byte order mark.
  format.range.end = 4;
  std::vector<std::string> fields;
  io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    for (std::size_t i = 0; i < row.size() && row.line() == 1; ++i) {
      fields.emplace_back(trim(row[i]));
    }
  });
  return fields;
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

std::string_view trim(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return trim_end(text.substr(begin));
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
