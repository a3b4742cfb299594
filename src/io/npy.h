#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::io {

enum class NpyType { kFloat32, kFloat64, kInt32, kInt64 };

std::size_t size_of(NpyType type);

// A NumPy array file held in memory, C order, little endian.
struct NpyArray {
  NpyType type = NpyType::kFloat32;
  std::vector<std::int64_t> shape;  // empty for a scalar
  std::vector<std::byte> bytes;

  std::int64_t count() const;
  // Values converted to float / int64. Integers out of a float's 24 bits round; `to_int64` is bad
  // data (named by `path`) where the array holds floats.
  std::vector<float> to_float() const;
  std::vector<std::int64_t> to_int64(const std::string& path) const;
};

// Reads formats 1.0, 2.0 and 3.0 with dtype <f4, <f8, <i4 or <i8, at most 8 dimensions. The header
// is checked in full and the file's size must match it. Errors: bad data (65) with what is wrong.
NpyArray read_npy(const std::string& path);

// A matrix [rows, columns] of finite floats from a two-dimensional array of any of the types.
struct NpyMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<float> values;  // row-major
};
NpyMatrix read_npy_matrix(const std::string& path);

// Writes format 1.0 atomically; `data` holds the product of `shape` values, row-major.
void write_npy(const std::string& path, const float* data, const std::vector<std::int64_t>& shape);
void write_npy(const std::string& path, const double* data, const std::vector<std::int64_t>& shape);
void write_npy(const std::string& path, const std::int32_t* data,
               const std::vector<std::int64_t>& shape);
void write_npy(const std::string& path, const std::int64_t* data,
               const std::vector<std::int64_t>& shape);

}  // namespace rallrec::io
