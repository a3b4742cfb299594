#pragma once

#include "config/options.h"
#include "data/dataset.h"

namespace rallrec::data {

// What readers give as the value of a field of which the source says nothing.
constexpr const char* kUnknown = "unknown";

// Leaves out rows and items by the keys of section [data], in this order: implicit, required_fields
// and the core (the other way round with core_keeps = items), frequent_items, min_user_rows. Of
// items with equally many rows the first in catalogue order are the more frequent. The rows that
// stay keep their order. Items leave the catalogue where required_fields leaves them out; where a
// bound on items is set, those that end up without a row leave it, too. Returns the number of rows
// left out. Throws usage for a required field that the data set does not have, bad data where no
// row is left, with what each filter left of how many.
std::int64_t apply_filters(RawData& raw, const config::DataOptions& options);

}  // namespace rallrec::data
