#pragma once

#include <string>

#include "data/dataset.h"

namespace rallrec::data {

// The data set of a run, ingest/interactions.h5; docs/formats.md lists its arrays. Timelines are
// not stored: they follow from the interactions.

// Written atomically; the same data set gives the same bytes.
void save_dataset(const std::string& path, const Dataset& dataset);

// Reads and checks everything that code relies on: lengths, id ranges, order, histories,
// splits. What does not hold is bad data that names the array. Throws missing where there is no
// such file.
Dataset load_dataset(const std::string& path);

}  // namespace rallrec::data
