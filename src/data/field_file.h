#pragma once

#include <cstdint>
#include <string>

#include "data/field_table.h"
#include "io/hdf5_file.h"

namespace rallrec::data {

// The fields of users or items within the file of a data set. Arrays, all beginning with `prefix`:
// .names, .kinds, .derived with one entry per field; for field k, .<k>.offsets, and .<k>.vocabulary
// and
// .<k>.codes or .<k>.numbers by its kind. Field names may hold any character, array names may not.
void write_fields(io::Hdf5Writer& file, const std::string& prefix, const FieldTable& table);

// Throws bad data where an array does not fit the others or a field does not have `rows` rows.
FieldTable read_fields(const io::Hdf5File& file, const std::string& prefix, std::int64_t rows);

// Bad data for one array of a data set's file.
[[noreturn]] void throw_bad_array(const io::Hdf5File& file, const std::string& array,
                                  const std::string& message);

}  // namespace rallrec::data
