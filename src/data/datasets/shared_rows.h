#pragma once

#include <string>

#include "data/dataset.h"
#include "data/datasets/source_file.h"

namespace rallrec::data {

// io::for_each_row with the rows shared out over the ranks of options.communicator: each visits a
// contiguous part of the file, cut at line starts, and `visit` is called for those rows alone.
// Messages, counts and the .rejects file are those of one rank that reads them all; an error is the
// first of the file, on every rank. Returns the counts of all ranks. Without a communicator, and
// for a pipe, which cannot be read in parts, the first rank visits all rows. Collective.
io::RowCounts for_each_shared_row(const std::string& file, const io::DelimitedOptions& format,
                                  const ReadOptions& options, const io::RowVisitor& visit);

// Joins the rows that each rank has in `table`, in rank order, on every rank. Users from
// `known_users` on and items from `known_items` on were met first in this rank's rows, those before
// are the same on all ranks; afterwards all ids are as if one rank had met all rows in order.
// Collective.
void join_rows(const ReadOptions& options, std::int32_t known_users, std::int32_t known_items,
               IdMap& users, IdMap& items, InteractionTable& table);

}  // namespace rallrec::data
