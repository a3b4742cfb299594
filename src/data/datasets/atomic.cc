#include "data/datasets/atomic.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/error.h"
#include "data/datasets/atomic_fields.h"
#include "data/datasets/atomic_header.h"
#include "data/datasets/atomic_time.h"
#include "data/datasets/shared_rows.h"
#include "io/files.h"

namespace rallrec::data {
namespace {

constexpr const char* kExtension = ".inter";

std::string interactions_file(const std::string& path) {
  if (path.empty()) throw_usage("data.path is empty: give the folder with the .inter file");
  if (!io::file_exists(path)) {
    throw_missing(path, "no such file or folder; expected a .inter file or the folder of one");
  }
  if (!io::is_folder(path)) return path;
  const std::vector<std::string> found = files_of(path, {kExtension});
  if (found.empty()) throw_missing(path, "no .inter file in this folder");
  if (found.size() > 1) {
    throw_usage(path + ": holds " + std::to_string(found.size()) + " .inter files (" + found[0] +
                ", " + found[1] + (found.size() > 2 ? ", …" : "") +
                "); let data.path name the one to read");
  }
  return found[0];
}

// "a/b.inter" with ".item" → "a/b.item".
std::string sibling(const std::string& file, const std::string& extension) {
  return std::filesystem::path(file).replace_extension(extension).string();
}

float rating_of(const io::DelimitedRow& row, std::size_t i) {
  const double rating = row.get_number(i, "rating");
  constexpr double kLargest = std::numeric_limits<float>::max();
  if (std::abs(rating) > kLargest) row.fail(i, "rating: too large for a 32-bit float");
  return static_cast<float>(rating);
}

struct InteractionColumns {
  explicit InteractionColumns(const AtomicHeader& header)
      : user(header.require("user_id")),
        item(header.require("item_id")),
        rating(header.find("rating")),
        timestamp(header.find("timestamp")) {}
  std::size_t user;
  std::size_t item;
  int rating;
  int timestamp;
};

void append(const io::DelimitedRow& row, const InteractionColumns& columns, IdMap& users,
            IdMap& items, InteractionTable& table) {
  const std::string_view user = row[columns.user];
  const std::string_view item = row[columns.item];
  if (user.empty()) row.fail(columns.user, "user_id is empty");
  if (item.empty()) row.fail(columns.item, "item_id is empty");
  const float rating = columns.rating < 0 ? 0 : rating_of(row, columns.rating);
  const AtomicTime time =
      columns.timestamp < 0 ? AtomicTime{} : atomic_time(row, columns.timestamp);
  table.user.push_back(users.add(user));
  table.item.push_back(items.add(item));
  if (columns.rating >= 0) table.rating.push_back(rating);
  if (columns.timestamp >= 0) table.add_time(time.whole, time.fraction);
}

}  // namespace

InteractionTable read_atomic_interactions(const std::string& file, const ReadOptions& options,
                                          IdMap& users, IdMap& items, std::int64_t& rejected_rows) {
  if (!io::file_exists(file)) throw_missing(file, "no such file; expected a .inter file");
  const AtomicHeader header(file);
  const InteractionColumns columns(header);
  InteractionTable table;
  const std::int32_t known_users = users.size();
  const std::int32_t known_items = items.size();
  const auto format = delimited_options(file, "\t", header.size(), options);
  const auto counts = for_each_shared_row(file, format, options, [&](const io::DelimitedRow& row) {
    if (row.line() > 1) append(row, columns, users, items, table);
  });
  join_rows(options, known_users, known_items, users, items, table);
  rejected_rows += counts.rejected;
  return table;
}

RawData read_atomic(const std::string& path, const ReadOptions& options) {
  RawData raw;
  raw.source = interactions_file(path);
  const std::string item_file = sibling(raw.source, ".item");
  const std::string user_file = sibling(raw.source, ".user");
  if (io::file_exists(item_file)) {
    raw.item_fields =
        read_atomic_fields(item_file, "item_id", options, raw.items, raw.rejected_rows);
  }
  if (io::file_exists(user_file)) {
    raw.user_fields =
        read_atomic_fields(user_file, "user_id", options, raw.users, raw.rejected_rows);
  }
  raw.interactions =
      read_atomic_interactions(raw.source, options, raw.users, raw.items, raw.rejected_rows);
  return raw;
}

}  // namespace rallrec::data
