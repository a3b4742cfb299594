#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace rallrec::io::testing {

// A safetensors file from header text and data, whatever they say.
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  const std::uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

// "{"dtype":…}" of one tensor.
inline std::string entry(const std::string& dtype, const std::string& shape,
                         const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

}  // namespace rallrec::io::testing
