#include "io/npy.h"

#include <cmath>
#include <cstring>

#include "core/check.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/input_file.h"
#include "io/npy_header.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little endian");

namespace rallrec::io {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::size_t kMagicSize = 6;
constexpr std::uint32_t kMaxHeader = 1 << 16;
constexpr std::size_t kAlignment = 64;

template <typename From, typename To>
std::vector<To> convert(const std::vector<std::byte>& bytes) {
  std::vector<To> values(bytes.size() / sizeof(From));
  for (std::size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
  return values;
}

// Reads magic, version and header text; returns the text and sets `data_offset`.
std::string read_header_text(const InputFile& file, std::uint64_t* data_offset) {
  unsigned char start[12] = {};
  const std::size_t got = file.read_some(0, start, sizeof(start));
  if (got < 10 || std::memcmp(start, kMagic, kMagicSize) != 0) {
    throw_bad_data(file.path(), "not a .npy file: it does not start with \\x93NUMPY");
  }
  const int version = start[6];
  if (version < 1 || version > 3 || start[7] != 0) {
    throw_bad_data(file.path(), ".npy format " + std::to_string(version) + "." +
                                    std::to_string(start[7]) + " is not known; 1.0 to 3.0 are");
  }
  const std::size_t prefix = version == 1 ? 10 : 12;
  std::uint32_t size = start[8] | static_cast<std::uint32_t>(start[9]) << 8;
  if (version > 1) {
    size |= static_cast<std::uint32_t>(start[10]) << 16 | static_cast<std::uint32_t>(start[11])
                                                              << 24;
  }
  if (size > kMaxHeader) {
    throw_bad_data(file.path(), ".npy header of " + std::to_string(size) + " bytes; at most " +
                                    std::to_string(kMaxHeader) + " are read");
  }
  std::string text(size, '\0');
  file.read_exactly(prefix, text.data(), size);
  *data_offset = prefix + size;
  return text;
}

void write_bytes(const std::string& path, NpyType type, const void* data,
                 const std::vector<std::int64_t>& shape) {
  std::size_t bytes = size_of(type);
  for (const std::int64_t dimension : shape) {
    RALLREC_CHECK(dimension >= 0, "negative dimension");
    bytes *= static_cast<std::size_t>(dimension);
  }
  std::string header = format_npy_header(type, shape);
  // NumPy asks that magic + version + length + header end at a multiple of 64 with a newline.
  const std::size_t unpadded = kMagicSize + 4 + header.size() + 1;
  header.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  header += '\n';
  const char version_and_size[4] = {1, 0, static_cast<char>(header.size() & 255),
                                    static_cast<char>(header.size() >> 8)};
  AtomicFile file(path);
  file.write(kMagic, kMagicSize);
  file.write(version_and_size, sizeof(version_and_size));
  file.write(header);
  file.write(data, bytes);
  file.commit();
}

}  // namespace

std::size_t size_of(NpyType type) {
  return type == NpyType::kFloat32 || type == NpyType::kInt32 ? 4 : 8;
}

std::int64_t NpyArray::count() const {
  return static_cast<std::int64_t>(bytes.size() / size_of(type));
}

std::vector<float> NpyArray::to_float() const {
  switch (type) {
    case NpyType::kFloat32:
      return convert<float, float>(bytes);
    case NpyType::kFloat64:
      return convert<double, float>(bytes);
    case NpyType::kInt32:
      return convert<std::int32_t, float>(bytes);
    case NpyType::kInt64:
      return convert<std::int64_t, float>(bytes);
  }
  throw Error("unknown NpyType");
}

std::vector<std::int64_t> NpyArray::to_int64(const std::string& path) const {
  if (type == NpyType::kInt32) {
    return convert<std::int32_t, std::int64_t>(bytes);
  }
  if (type != NpyType::kInt64) {
    throw_bad_data(path, "holds floats; int32 or int64 was expected");
  }
  return convert<std::int64_t, std::int64_t>(bytes);
}

NpyArray read_npy(const std::string& path) {
  const InputFile file(path);
  std::uint64_t data_offset = 0;
  const std::string text = read_header_text(file, &data_offset);
  NpyHeader header = parse_npy_header(path, text);
  const std::uint64_t present = file.size() > data_offset ? file.size() - data_offset : 0;
  if (present != header.data_bytes) {
    throw_bad_data(path, "the header promises " + std::to_string(header.data_bytes) +
                             " bytes of data, the file holds " + std::to_string(present));
  }
  NpyArray array{header.type, std::move(header.shape), std::vector<std::byte>(header.data_bytes)};
  file.read_exactly(data_offset, array.bytes.data(), array.bytes.size());
  return array;
}

NpyMatrix read_npy_matrix(const std::string& path) {
  const NpyArray array = read_npy(path);
  if (array.shape.size() != 2) {
    throw_bad_data(path, "has " + std::to_string(array.shape.size()) +
                             " dimensions; a matrix [rows, columns] was expected");
  }
  NpyMatrix matrix{array.shape[0], array.shape[1], array.to_float()};
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    if (!std::isfinite(matrix.values[i])) {
      throw_bad_data(path, "row " + std::to_string(i / matrix.columns) + ", column " +
                               std::to_string(i % matrix.columns) + " is not a finite number");
    }
  }
  return matrix;
}

void write_npy(const std::string& path, const float* data, const std::vector<std::int64_t>& shape) {
  write_bytes(path, NpyType::kFloat32, data, shape);
}
void write_npy(const std::string& path, const double* data,
               const std::vector<std::int64_t>& shape) {
  write_bytes(path, NpyType::kFloat64, data, shape);
}
void write_npy(const std::string& path, const std::int32_t* data,
               const std::vector<std::int64_t>& shape) {
  write_bytes(path, NpyType::kInt32, data, shape);
}
void write_npy(const std::string& path, const std::int64_t* data,
               const std::vector<std::int64_t>& shape) {
  write_bytes(path, NpyType::kInt64, data, shape);
}

}  // namespace rallrec::io
