#pragma once

#include <cstdint>
#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// RecBole atomic files: a header line of name:kind between tabs (kinds token, token_seq, float,
// float_seq), then one row per line; sequences have blanks between their values.
//
// `path` is the .inter file, or a folder with exactly one. The .item and .user files of the same
// name beside it are optional. The .inter file must have the columns user_id and item_id; rating
// and timestamp (from 0) make the interactions rated and timed; other columns are not read.
// A broken header is an error whatever the bad-row policy.
//
// Fields keep the names of their columns, except that movie_title, class, release_year and
// zip_code, RecBole's names on MovieLens, become title, genres, year and zip. A title is one value,
// whatever its kind; gender M and F become male and female; age_group is derived from age.
RawData read_atomic(const std::string& path, const ReadOptions& options = {});

// Only the interactions of one .inter file; new ids are added to `users` and `items`. Adds the
// number of dropped rows to `rejected_rows`.
InteractionTable read_atomic_interactions(const std::string& file, const ReadOptions& options,
                                          IdMap& users, IdMap& items, std::int64_t& rejected_rows);

}  // namespace rallrec::data
