#include <set>

#include "core/error.h"
#include "data/datasets/movielens.h"
#include "data/datasets/movielens_fields.h"
#include "data/datasets/movielens_ratings.h"
#include "data/datasets/profile.h"
#include "io/files.h"

namespace rallrec::data {
namespace {

// u.genre: "name|index". The indices are the genre columns of u.item in order.
std::vector<std::string> read_genres(const std::string& file, const ReadOptions& options) {
  std::vector<std::string> genres;
  io::DelimitedOptions format = delimited_options(file, "|", 2, options);
  format.bad_rows = {};
  io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    const auto next = static_cast<std::int64_t>(genres.size());
    get_whole(row, 1, "genre number", next, next);
    genres.emplace_back(row.get_text(0, "genre"));
  });
  return genres;
}

std::vector<std::string> flagged_genres(const io::DelimitedRow& row, std::size_t first,
                                        const std::vector<std::string>& genres) {
  std::vector<std::string> result;
  for (std::size_t k = 0; k < genres.size(); ++k) {
    if (get_whole(row, first + k, genres[k], 0, 1) == 1) result.push_back(genres[k]);
  }
  return result;
}

// id|title|release date|video date|URL|one flag per genre
void read_items(const std::string& folder, const ReadOptions& options, RawData& raw) {
  constexpr std::size_t kFlags = 5;
  const std::string file = file_of(folder, "u.item");
  const std::vector<std::string> genres = read_genres(file_of(folder, "u.genre"), options);
  io::DelimitedOptions format = delimited_options(file, "|", kFlags + genres.size(), options);
  format.encoding = guess_encoding(file);
  MovieFields fields;
  const auto counts = io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    const std::string id = get_numeric_id(row, 0, "item id");
    require_new(row, 0, "item id", raw.items, id);
    const auto flagged = flagged_genres(row, kFlags, genres);
    fields.add_row(trim_end(row[1]), flagged);
    raw.items.add(id);
  });
  raw.rejected_rows += counts.rejected;
  raw.item_fields = fields.take();
}

std::set<std::string, std::less<>> read_occupations(const std::string& file) {
  std::set<std::string, std::less<>> words;
  if (!io::file_exists(file)) return words;
  io::for_each_row(file, {}, [&](const io::DelimitedRow& row) { words.emplace(row[0]); });
  return words;
}

// id|age|gender|occupation|zip
void read_users(const std::string& folder, const ReadOptions& options, RawData& raw) {
  const std::string file = file_of(folder, "u.user");
  const auto occupations = read_occupations(folder + "/u.occupation");
  ProfileFields fields;
  const auto format = delimited_options(file, "|", 5, options);
  const auto counts = io::for_each_row(file, format, [&](const io::DelimitedRow& row) {
    const std::string id = get_numeric_id(row, 0, "user id");
    require_new(row, 0, "user id", raw.users, id);
    get_whole(row, 1, "age", 0, 199);
    if (gender_word(row[2]).empty()) row.fail(2, "gender: expected M or F");
    if (!occupations.empty() && occupations.count(row[3]) == 0) {
      row.fail(3, "occupation: '" + std::string(row[3]) + "' is not in u.occupation");
    }
    fields.add_row(row[2], row[1], row[3], row[4]);
    raw.users.add(id);
  });
  raw.rejected_rows += counts.rejected;
  raw.user_fields = fields.take();
}

}  // namespace

RawData read_movielens_100k(const std::string& path, const ReadOptions& options) {
  RawData raw;
  raw.source = file_of(path, "u.data");
  const std::string folder = io::folder_of(raw.source);
  read_items(folder, options, raw);
  read_users(folder, options, raw);
  read_movielens_ratings({raw.source, "\t", true, "u.user", "u.item"}, options, raw);
  return raw;
}

}  // namespace rallrec::data
