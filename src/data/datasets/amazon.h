#pragma once

#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// Amazon reviews with the metadata of the items. `path` is the folder of both files (.csv, .json or
// .jsonl; other files there are no matter), or the file of reviews in it. Which is which, and from
// which year, is known by the columns or keys of the first lines:
//
//   2014, 2018  reviews reviewerID, asin, overall, unixReviewTime (seconds) or reviewTime
//               ("04 4, 2004": month, day, year; midnight in UTC)
//   2023        reviews user_id, parent_asin or asin, rating, timestamp (milliseconds)
//   metadata    asin or parent_asin, title, and category, categories or genre
//
// Each may be CSV with a header, JSON lines, or lines of Python literals. A folder without metadata
// gives items without fields. Ratings are numbers from 1 to 5. Reviews may be of items without
// metadata; of metadata with a repeated id the first counts.
//
// Fields of items: title (left out where empty; HTML entities decoded) and category, the last and
// most special of the item's first list of categories, kUnknown (filters.h) where it has none.
RawData read_amazon(const std::string& path, const ReadOptions& options = {});

}  // namespace rallrec::data
