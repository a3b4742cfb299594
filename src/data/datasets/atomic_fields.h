#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/datasets/source_file.h"
#include "data/field_table.h"
#include "data/id_map.h"

namespace rallrec::data {

// Reads a .item or .user file whose ids stand in the column `id_column` into `ids`, which must be
// empty, and a field table with one row per id. Adds the number of dropped rows to `rejected_rows`.
FieldTable read_atomic_fields(const std::string& file, std::string_view id_column,
                              const ReadOptions& options, IdMap& ids, std::int64_t& rejected_rows);

}  // namespace rallrec::data
