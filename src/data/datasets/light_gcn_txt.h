#pragma once

#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// The files of the LightGCN release: train.txt and, where it exists, test.txt in the folder `path`.
// A line is a user and the user's items, whole numbers from 0 with blanks between; a user may have
// no items. The interactions have neither ratings nor timestamps; the first raw.train_rows are
// those of train.txt.
RawData read_light_gcn_txt(const std::string& path, const ReadOptions& options = {});

}  // namespace rallrec::data
