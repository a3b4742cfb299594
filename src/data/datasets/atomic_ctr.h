#pragma once

#include <string>

#include "data/ctr_data.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// A person's own split, as RecBole atomic files (atomic.h). An .inter file needs the columns
// user_id, item_id and label (0 or 1); timestamp is read where it is there as a float, to say
// which row a score is of; no other column is read, and none of these but the ids is a feature. Of
// the side files, which may be "", every column is kept under its own name and kind. An id without
// a row there has no values.
struct CtrFiles {
  std::string train;
  std::string valid;
  std::string test;
  std::string users;
  std::string items;
};

// Samples are in the order of their file. Throws bad data with the place for a label that is not 0
// or 1, for an empty id, and for a file without a row; missing for one that is not there.
CtrData read_ctr_files(const CtrFiles& files, const ReadOptions& options);

}  // namespace rallrec::data
