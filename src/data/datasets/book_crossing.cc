#include "data/datasets/book_crossing.h"

#include <algorithm>

#include "core/error.h"
#include "data/datasets/book_fields.h"
#include "data/datasets/shared_rows.h"
#include "io/files.h"

namespace rallrec::data {
namespace {

using Names = std::vector<std::string>;

// One of the three files: how its rows are read, and its columns.
struct BookFile {
  std::string path;
  io::DelimitedOptions format;
  Names columns;

  bool is_official() const { return format.separator == ";"; }
  // The column with one of these names. Throws bad data where there is none.
  std::size_t column(const Names& names) const;
};

std::string listed(const Names& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "'" : ", '").append(name + "'");
  return text;
}

std::size_t BookFile::column(const Names& names) const {
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (std::find(names.begin(), names.end(), columns[k]) != names.end()) return k;
  }
  throw_bad_data(path + ":1", "unknown layout: the first line names the columns " +
                                  listed(columns) + ", none of them " + listed(names) +
                                  "; known are the official files with ';' and the cleaned ones "
                                  "with ',' (docs/formats.md)");
}

BookFile open_book_file(const std::string& path, const ReadOptions& options) {
  const std::string line = first_line(path);
  const bool official = std::count(line.begin(), line.end(), ';') > 0;
  BookFile file{path, delimited_options(path, official ? ";" : ",", 0, options), {}};
  file.format.quotes = official ? io::Quotes::kLoose : io::Quotes::kDoubled;
  file.columns = header_fields(path, file.format.separator, file.format.quotes);
  file.format.fields = file.columns.size();
  return file;
}

// The first of `names` that is in the folder `path`; `path` itself where it is a file.
std::string book_file_of(const std::string& path, const Names& names) {
  for (const std::string& name : names) {
    std::string file = path;
    file.append("/").append(name);
    if (io::file_exists(file)) return file;
  }
  return file_of(path, names.front());
}

void read_books(const std::string& folder, const ReadOptions& options, RawData& raw) {
  BookFile file = open_book_file(book_file_of(folder, {"BX-Books.csv", "Books.csv"}), options);
  file.format.encoding = guess_encoding(file.path, io::Encoding::kWindows1252);
  const std::size_t isbn = file.column({"ISBN"});
  const std::size_t title = file.column({"Book-Title"});
  const std::size_t author = file.column({"Book-Author"});
  const std::size_t year = file.column({"Year-Of-Publication"});
  const std::size_t publisher = file.column({"Publisher", "Book-Publisher"});
  BookFields fields;
  const auto counts = io::for_each_row(file.path, file.format, [&](const io::DelimitedRow& row) {
    if (row.line() == 1) return;
    const std::string_view id = trim(row[isbn]);
    if (id.empty()) row.fail(isbn, "ISBN is empty");
    require_new(row, isbn, "ISBN", raw.items, id);
    fields.add_row(id, trim(row[title]), trim(row[author]), trim(row[year]), trim(row[publisher]));
    raw.items.add(id);
  });
  raw.rejected_rows += counts.rejected;
  raw.item_fields = fields.take();
}

void read_users(const std::string& folder, const ReadOptions& options, RawData& raw) {
  BookFile file = open_book_file(book_file_of(folder, {"BX-Users.csv", "Users.csv"}), options);
  file.format.encoding = guess_encoding(file.path, io::Encoding::kWindows1252);
  const std::size_t user = file.column({"User-ID"});
  const std::size_t location = file.column({"Location", "User-Country"});
  const std::size_t age = file.column({"Age", "User-Age"});
  ReaderFields fields;
  const auto counts = io::for_each_row(file.path, file.format, [&](const io::DelimitedRow& row) {
    if (row.line() == 1) return;
    const std::string id = get_numeric_id(row, user, "User-ID");
    require_new(row, user, "User-ID", raw.users, id);
    fields.add_row(row[location], row[age]);
    raw.users.add(id);
  });
  raw.rejected_rows += counts.rejected;
  raw.user_fields = fields.take();
}

void read_ratings(const ReadOptions& options, RawData& raw) {
  BookFile file = open_book_file(raw.source, options);
  if (file.is_official()) file.format.encoding = io::Encoding::kWindows1252;
  const std::size_t user = file.column({"User-ID"});
  const std::size_t isbn = file.column({"ISBN"});
  const std::size_t rating = file.column({"Book-Rating"});
  const std::int32_t known_users = raw.users.size();
  const std::int32_t known_items = raw.items.size();
  InteractionTable& table = raw.interactions;
  const auto visit = [&](const io::DelimitedRow& row) {
    if (row.line() == 1) return;
    const std::string user_id = get_numeric_id(row, user, "User-ID");
    const std::string_view item_id = trim(row[isbn]);
    if (item_id.empty()) row.fail(isbn, "ISBN is empty");
    const std::int64_t stars = get_whole(row, rating, "Book-Rating", 0, 10);
    table.user.push_back(raw.users.add(user_id));
    table.item.push_back(raw.items.add(item_id));
    table.rating.push_back(static_cast<float>(stars));
  };
  const auto counts = for_each_shared_row(file.path, file.format, options, visit);
  join_rows(options, known_users, known_items, raw.users, raw.items, table);
  raw.rejected_rows += counts.rejected;
}

}  // namespace

RawData read_book_crossing(const std::string& path, const ReadOptions& options) {
  RawData raw;
  raw.source = book_file_of(path, {"BX-Book-Ratings.csv", "BX-Ratings.csv", "Ratings.csv"});
  const std::string folder = io::folder_of(raw.source);
  read_books(folder, options, raw);
  read_users(folder, options, raw);
  read_ratings(options, raw);
  return raw;
}

}  // namespace rallrec::data
