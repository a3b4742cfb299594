#include "core/error.h"
#include "data/datasets/movielens.h"
#include "data/datasets/movielens_fields.h"
#include "data/datasets/movielens_ratings.h"
#include "data/datasets/profile.h"
#include "io/files.h"

namespace rallrec::data {
namespace {

constexpr const char* kSeparator = "::";

// id::title::genre|genre
void read_items(const std::string& folder, const ReadOptions& options, RawData& raw) {
  const std::string file = file_of(folder, "movies.dat");
  io::DelimitedOptions format = delimited_options(file, kSeparator, 3, options);
  format.encoding = guess_encoding(file);
  MovieFields fields;
  const auto counts = io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    const std::string id = get_numeric_id(row, 0, "movie id");
    require_new(row, 0, "movie id", raw.items, id);
    fields.add_row(trim_end(row[1]),
                   row[2].empty() ? std::vector<std::string>() : split(row[2], "|"));
    raw.items.add(id);
  });
  raw.rejected_rows += counts.rejected;
  raw.item_fields = fields.take();
}

// id::gender::age code::occupation code::zip
void read_users(const std::string& folder, const ReadOptions& options, RawData& raw) {
  const std::string file = file_of(folder, "users.dat");
  ProfileFields fields;
  const auto format = delimited_options(file, kSeparator, 5, options);
  const auto counts = io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    const std::string id = get_numeric_id(row, 0, "user id");
    require_new(row, 0, "user id", raw.users, id);
    if (gender_word(row[1]).empty()) row.fail(1, "gender: expected M or F");
    if (!is_age_code(row[2])) row.fail(2, "age: expected 1, 18, 25, 35, 45, 50 or 56");
    const std::string occupation = occupation_word(row[3]);
    if (occupation.empty()) row.fail(3, "occupation: expected a whole number from 0 to 20");
    fields.add_row(row[1], row[2], occupation, row[4]);
    raw.users.add(id);
  });
  raw.rejected_rows += counts.rejected;
  raw.user_fields = fields.take();
}

}  // namespace

RawData read_movielens_1m(const std::string& path, const ReadOptions& options) {
  RawData raw;
  raw.source = file_of(path, "ratings.dat");
  const std::string folder = io::folder_of(raw.source);
  read_items(folder, options, raw);
  read_users(folder, options, raw);
  const bool timed = split(first_line(raw.source), kSeparator).size() != 3;
  read_movielens_ratings({raw.source, kSeparator, timed, "users.dat", "movies.dat"}, options, raw);
  return raw;
}

}  // namespace rallrec::data
