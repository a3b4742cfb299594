#include "data/datasets/light_gcn_txt.h"

#include <limits>

#include "io/files.h"

namespace rallrec::data {
namespace {

// A user with a million items has a line of this size.
constexpr std::size_t kLongestLine = std::size_t{16} << 20;

// Empty fields come from blanks at the end of a line or between ids.
std::vector<std::string> ids_of(const io::DelimitedRow& row) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].empty()) continue;
    constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();
    const char* name = ids.empty() ? "user id" : "item id";
    ids.push_back(std::to_string(get_whole(row, i, name, 0, kLargest)));
  }
  return ids;
}

void read_lines(const std::string& file, const ReadOptions& options, RawData& raw) {
  io::DelimitedOptions format = delimited_options(file, " ", 0, options);
  format.max_row_bytes = kLongestLine;
  const auto counts = io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    const std::vector<std::string> ids = ids_of(row);
    if (ids.empty()) return;
    const std::int32_t user = raw.users.add(ids[0]);
    for (std::size_t k = 1; k < ids.size(); ++k) {
      raw.interactions.user.push_back(user);
      raw.interactions.item.push_back(raw.items.add(ids[k]));
    }
  });
  raw.rejected_rows += counts.rejected;
}

}  // namespace

RawData read_light_gcn_txt(const std::string& path, const ReadOptions& options) {
  RawData raw;
  raw.source = file_of(path, "train.txt");
  read_lines(raw.source, options, raw);
  raw.train_rows = static_cast<std::int64_t>(raw.interactions.size());
  const std::string test = io::folder_of(raw.source) + "/test.txt";
  if (io::file_exists(test)) read_lines(test, options, raw);
  return raw;
}

}  // namespace rallrec::data
