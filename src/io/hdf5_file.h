#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rallrec::io {

// Element types of arrays in our HDF5 files, all little endian.
enum class Hdf5Type { kUInt8, kInt32, kInt64, kFloat32, kFloat64 };

std::size_t size_of(Hdf5Type type);
// "int32", …
const char* name_of(Hdf5Type type);

// The type that holds C++ values of T; defined for the five element types only.
template <typename T>
Hdf5Type hdf5_type();
template <>
Hdf5Type hdf5_type<std::uint8_t>();
template <>
Hdf5Type hdf5_type<std::int32_t>();
template <>
Hdf5Type hdf5_type<std::int64_t>();
template <>
Hdf5Type hdf5_type<float>();
template <>
Hdf5Type hdf5_type<double>();

// Writes one HDF5 file of named arrays with one or two dimensions, stored in one piece each,
// uncompressed, without time stamps: the same calls give the same bytes. Nothing is there until
// commit(). Names are plain words (letters, digits, '_', '.', '-'). Errors of the system are
// throw_io (74).
class Hdf5Writer {
 public:
  explicit Hdf5Writer(const std::string& path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  template <typename T>
  void add(const std::string& name, const std::vector<T>& values) {
    const auto count = static_cast<std::int64_t>(values.size());
    create(name, hdf5_type<T>(), {count});
    write_rows(name, 0, count, values.data());
  }
  // Row-major.
  template <typename T>
  void add_matrix(const std::string& name, const T* values, std::int64_t rows,
                  std::int64_t columns) {
    create(name, hdf5_type<T>(), {rows, columns});
    write_rows(name, 0, rows, values);
  }
  // As two arrays: <name>.bytes (uint8, all texts end to end) and <name>.offsets (int64, one more
  // than there are texts; text i is bytes [offsets[i], offsets[i + 1])).
  void add_strings(const std::string& name, const std::vector<std::string>& texts);

  // For arrays too large to hold at once: `create`, then every row exactly once, in any order.
  void create(const std::string& name, Hdf5Type type, const std::vector<std::int64_t>& shape);
  void write_rows(const std::string& name, std::int64_t first, std::int64_t rows,
                  const void* values);

  // Attributes of the file.
  void set_attribute(const std::string& key, std::int64_t value);
  void set_attribute(const std::string& key, double value);
  void set_attribute(const std::string& key, const std::string& value);

  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct Hdf5Info {
  Hdf5Type type = Hdf5Type::kUInt8;
  std::vector<std::int64_t> shape;  // one or two dimensions

  std::int64_t rows() const { return shape.front(); }
  std::int64_t columns() const { return shape.size() == 2 ? shape.back() : 1; }
};

// Reads files of the form that Hdf5Writer writes; they are taken as hostile. The library is asked
// where an array lies (link, type, dimensions, layout, filters, size: all checked, see
// hdf5_file.cc), the bytes are then read by position without it. Other layouts, types, links and
// filters are bad data (65).
class Hdf5File {
 public:
  explicit Hdf5File(const std::string& path);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  const std::string& path() const;
  bool has(const std::string& name) const;
  // Bad data that names the array where it is missing or not as described above.
  Hdf5Info info(const std::string& name) const;

  // A one-dimensional array; another type or rank is bad data.
  template <typename T>
  std::vector<T> read(const std::string& name) const {
    const Hdf5Info found = require(name, hdf5_type<T>(), 1);
    std::vector<T> values(static_cast<std::size_t>(found.rows()));
    read_rows(name, 0, found.rows(), values.data());
    return values;
  }
  // A two-dimensional array, row-major; `info(name)` has the shape.
  template <typename T>
  std::vector<T> read_matrix(const std::string& name) const {
    const Hdf5Info found = require(name, hdf5_type<T>(), 2);
    std::vector<T> values(static_cast<std::size_t>(found.rows() * found.columns()));
    read_rows(name, 0, found.rows(), values.data());
    return values;
  }
  // Rows [first, first + rows) of an array, packed into `out`.
  void read_rows(const std::string& name, std::int64_t first, std::int64_t rows, void* out) const;
  // Texts of add_strings; valid UTF-8.
  std::vector<std::string> read_strings(const std::string& name) const;

  bool has_attribute(const std::string& key) const;
  // Bad data where the attribute is missing or of another kind.
  std::int64_t int_attribute(const std::string& key) const;
  double double_attribute(const std::string& key) const;
  std::string string_attribute(const std::string& key) const;

 private:
  Hdf5Info require(const std::string& name, Hdf5Type type, std::size_t rank) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rallrec::io
