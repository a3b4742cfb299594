#pragma once

#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// Book-Crossing: ratings, books and users in three files, which are known by the columns that their
// first lines name. `path` is the folder, or the file of ratings in it under whatever name.
//
//   official  BX-Book-Ratings.csv, BX-Books.csv, BX-Users.csv: ';' between fields, each in quotes
//             or NULL, quotes within fields free; Windows-1252. What still has a wrong number of
//             fields is a bad row
//   cleaned   BX-Ratings.csv (or Ratings.csv, …), BX-Books.csv, BX-Users.csv: RFC 4180 with commas,
//             UTF-8
//
// Ratings are whole numbers from 0 (none was given) to 10; there are no timestamps, ever. A rating
// may name books and users without a row in their files.
//
// Fields: title, author, year, publisher and isbn (derived: it is the id) of items; country and
// age_group ("under 18", "18-24", then steps of five up to "55-59", "60+") of users. kUnknown
// stands for "n/a", for years not of four characters and for ages outside 5 … 100.
RawData read_book_crossing(const std::string& path, const ReadOptions& options = {});

}  // namespace rallrec::data
