#pragma once

#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// The raw MovieLens releases. `path` is the folder, or the ratings file in it under whatever name;
// the other files are taken from the same folder. Ids are the numbers of the files. A rating whose
// user or item has no row in the user or item file is a bad row; so are ratings other than 1 … 5,
// negative times and repeated ids. Text may be UTF-8 or ISO 8859-1; titles lose blanks at their
// end.
//
// Fields: title, genres, year (derived: the "(1994)" at the end of the title) of items; gender,
// age, age_group (derived), occupation, zip of users.

// u.data (user, item, rating, time between tabs), u.item ('|', one 0/1 column per genre of
// u.genre), u.user ('|'). Occupations must be listed in u.occupation where that file exists.
RawData read_movielens_100k(const std::string& path, const ReadOptions& options = {});

// ratings.dat, movies.dat, users.dat with "::" between fields. Ratings without the fourth field
// give interactions without timestamps. Age and occupation codes are those of the release's README.
RawData read_movielens_1m(const std::string& path, const ReadOptions& options = {});

}  // namespace rallrec::data
