#pragma once

#include <string>
#include <string_view>

#include "io/npy.h"

namespace rallrec::io {

struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  std::vector<std::int64_t> shape;
  std::uint64_t data_bytes = 0;
};

// Parses the Python dictionary literal of a .npy header: exactly the keys descr, fortran_order and
// shape, each once, nothing evaluated. `path` is for messages.
NpyHeader parse_npy_header(const std::string& path, std::string_view text);

// The dictionary literal, without padding.
std::string format_npy_header(NpyType type, const std::vector<std::int64_t>& shape);

}  // namespace rallrec::io
