#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/datasets/source_file.h"
#include "data/field_table.h"
#include "data/id_map.h"

namespace rallrec::data {

// kOurs: names and values are brought into the form of FieldTable (atomic.h says how). kAsInFile:
// every column keeps its name, kind and values, and none is added.
enum class FieldWords { kOurs, kAsInFile };

// Reads a .item or .user file whose ids stand in the column `id_column` into `ids`, which must be
// empty, and a field table with one row per id. Adds the number of dropped rows to `rejected_rows`.
FieldTable read_atomic_fields(const std::string& file, std::string_view id_column,
                              const ReadOptions& options, IdMap& ids, std::int64_t& rejected_rows,
                              FieldWords words = FieldWords::kOurs);

}  // namespace rallrec::data
