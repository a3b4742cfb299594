#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/tensor_type.h"

namespace rallrec::io {

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;  // at most 8 dimensions; empty for a scalar
  // Bytes within the data part of the file.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  // "[2, 3]".
  std::string shape_text() const;
};

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  // by position in the file
  std::map<std::string, std::string> metadata;
};

// Parses the JSON header of a safetensors file and checks all that the format promises: an object
// that starts at the first byte, only spaces behind it, valid UTF-8, no key twice, known types,
// shapes whose size does not overflow, offsets that are plain non-negative integers, that match
// type and shape and that cover [0, data_bytes) without hole or overlap. Limits of our own: 100,000
// tensors, 512 bytes of name, 8 dimensions, no unknown key. Bad data at `path` with the tensor and
// the reason.
SafetensorsHeader parse_safetensors_header(const std::string& path, std::string_view text,
                                           std::uint64_t data_bytes);

// The header for these tensors, positions included, padded with spaces to a multiple of 8 bytes.
std::string format_safetensors_header(const SafetensorsHeader& header);

}  // namespace rallrec::io
