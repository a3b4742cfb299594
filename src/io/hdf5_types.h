#pragma once

#include <hdf5.h>

#include <string>

#include "io/hdf5_file.h"

namespace rallrec::io {

// The library's identifier of a type in files; not owned.
hid_t file_type(Hdf5Type type);
// False where the identifier is none of ours.
bool find_type(hid_t id, Hdf5Type* type);
// True for names that cannot lead out of the root group.
bool is_plain_array_name(const std::string& name);

}  // namespace rallrec::io
