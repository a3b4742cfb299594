#include "io/hdf5_file.h"

#include <cstring>

#include "core/check.h"
#include "core/error.h"
#include "io/hdf5_handle.h"
#include "io/hdf5_types.h"
#include "io/input_file.h"
#include "io/utf8.h"

namespace rallrec::io {
namespace {

constexpr std::size_t kMaxAttributeBytes = std::size_t{1} << 20;

constexpr char kSignature[] = "\x89HDF\r\n\x1a\n";

// Version 2 and 3 of the first block are followed by metadata with checksums. Damage in the older
// forms, which have none, can crash the library while it opens the file.
bool has_checked_metadata(const InputFile& input) {
  char start[9] = {};
  return input.read_some(0, start, sizeof(start)) == sizeof(start) &&
         std::memcmp(start, kSignature, 8) == 0 && (start[8] == 2 || start[8] == 3);
}

// True where the root group keeps its links in its own header. See compact_root() of the writer.
bool has_compact_root(hid_t file) {
  H5G_info_t root{};
  return H5Gget_info(file, &root) >= 0 && root.storage_type == H5G_STORAGE_TYPE_COMPACT;
}

struct Place {
  Hdf5Info info;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

}  // namespace

struct Hdf5File::State {
  explicit State(const std::string& file_path) : input(file_path) {}

  [[noreturn]] void fail(const std::string& name, const std::string& message) const {
    throw_bad_data(input.path(), "array '" + name + "': " + message);
  }
  void require_hard_link(const std::string& name) const;
  std::vector<std::int64_t> shape_of(hid_t array, const std::string& name) const;
  void require_plain_storage(hid_t array, const std::string& name) const;
  Place locate(const std::string& name) const;
  template <typename Read>
  void with_attribute(const std::string& key, H5T_class_t kind, const Read& read) const;

  InputFile input;
  Hdf5Handle file;
};

Hdf5File::Hdf5File(const std::string& path) : state_(std::make_unique<State>(path)) {
  if (!state_->input.is_regular()) {
    throw_bad_data(path, "is not a regular file");
  }
  if (!has_checked_metadata(state_->input)) {
    throw_bad_data(path, "not an HDF5 file of version 1.8 or later that this program has written");
  }
  const auto lock = lock_hdf5();
  const Hdf5Handle access = file_access();
  state_->file = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!state_->file.valid()) {
    throw_bad_data(path, "not an HDF5 file, or damaged: " + take_hdf5_error());
  }
  if (!has_compact_root(state_->file.get())) {
    H5Eclear2(H5E_DEFAULT);
    throw_bad_data(path,
                   "its root group is damaged, or in a form that this program does not write");
  }
}

Hdf5File::~Hdf5File() {
  const auto lock = lock_hdf5();
  state_->file.reset();
}

const std::string& Hdf5File::path() const { return state_->input.path(); }

bool Hdf5File::has(const std::string& name) const {
  const auto lock = lock_hdf5();
  return is_plain_array_name(name) && H5Lexists(state_->file.get(), name.c_str(), H5P_DEFAULT) > 0;
}

void Hdf5File::State::require_hard_link(const std::string& name) const {
  if (!is_plain_array_name(name) || H5Lexists(file.get(), name.c_str(), H5P_DEFAULT) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    fail(name, "is missing");
  }
  H5L_info_t link{};
  if (H5Lget_info(file.get(), name.c_str(), &link, H5P_DEFAULT) < 0) {
    fail(name, "its link cannot be read: " + take_hdf5_error());
  }
  if (link.type != H5L_TYPE_HARD) {
    fail(name, "is a soft or external link; only arrays in the file itself are read");
  }
  H5O_info_t object{};
  if (H5Oget_info_by_name2(file.get(), name.c_str(), &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0 ||
      object.type != H5O_TYPE_DATASET) {
    H5Eclear2(H5E_DEFAULT);
    fail(name, "is not an array");
  }
}

std::vector<std::int64_t> Hdf5File::State::shape_of(hid_t array, const std::string& name) const {
  const Hdf5Handle space(H5Dget_space(array), H5Sclose);
  if (!space.valid() || H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE) {
    fail(name, "has no simple dimensions");
  }
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank != 1 && rank != 2) {
    fail(name, "has " + std::to_string(rank) + " dimensions; one or two were expected");
  }
  hsize_t sizes[2] = {0, 0};
  if (H5Sget_simple_extent_dims(space.get(), sizes, nullptr) != rank) {
    fail(name, "its dimensions cannot be read: " + take_hdf5_error());
  }
  std::vector<std::int64_t> shape;
  for (int i = 0; i < rank; ++i) {
    if (sizes[i] > static_cast<hsize_t>(INT64_MAX)) {
      fail(name, "dimension " + std::to_string(sizes[i]) + " is too large");
    }
    shape.push_back(static_cast<std::int64_t>(sizes[i]));
  }
  return shape;
}

// Chunks, filters, virtual and external storage are where the library's own readers have crashed.
void Hdf5File::State::require_plain_storage(hid_t array, const std::string& name) const {
  const Hdf5Handle storage(H5Dget_create_plist(array), H5Pclose);
  if (!storage.valid() || H5Pget_layout(storage.get()) != H5D_CONTIGUOUS) {
    fail(name, "is not stored in one piece (contiguous layout)");
  }
  if (H5Pget_nfilters(storage.get()) != 0) {
    fail(name, "is stored through filters; only plain bytes are read");
  }
  if (H5Pget_external_count(storage.get()) != 0) {
    fail(name, "is stored in other files; only bytes in the file itself are read");
  }
}

Place Hdf5File::State::locate(const std::string& name) const {
  require_hard_link(name);
  const Hdf5Handle array(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!array.valid()) {
    fail(name, "cannot be opened: " + take_hdf5_error());
  }
  Place place;
  const Hdf5Handle type(H5Dget_type(array.get()), H5Tclose);
  if (!type.valid() || !find_type(type.get(), &place.info.type)) {
    fail(name, "is not of uint8, int32, int64, float32 or float64 (little endian)");
  }
  place.info.shape = shape_of(array.get(), name);
  require_plain_storage(array.get(), name);
  place.bytes = size_of(place.info.type);
  for (const std::int64_t dimension : place.info.shape) {
    if (__builtin_mul_overflow(place.bytes, static_cast<std::uint64_t>(dimension), &place.bytes)) {
      fail(name, "its size overflows");
    }
  }
  if (place.bytes == 0) {
    return place;
  }
  place.offset = H5Dget_offset(array.get());
  if (H5Dget_storage_size(array.get()) != place.bytes || place.offset > input.size() ||
      place.bytes > input.size() - place.offset) {
    H5Eclear2(H5E_DEFAULT);
    fail(name, "its " + std::to_string(place.bytes) + " bytes are not all in the file");
  }
  return place;
}

Hdf5Info Hdf5File::info(const std::string& name) const {
  const auto lock = lock_hdf5();
  return state_->locate(name).info;
}

Hdf5Info Hdf5File::require(const std::string& name, Hdf5Type type, std::size_t rank) const {
  Hdf5Info found = info(name);
  if (found.type != type || found.shape.size() != rank) {
    state_->fail(name, std::string("expected ") + name_of(type) + " with " + std::to_string(rank) +
                           " dimensions, found " + name_of(found.type) + " with " +
                           std::to_string(found.shape.size()));
  }
  return found;
}

void Hdf5File::read_rows(const std::string& name, std::int64_t first, std::int64_t rows,
                         void* out) const {
  Place place;
  {
    const auto lock = lock_hdf5();
    place = state_->locate(name);
  }
  const std::int64_t all = place.info.rows();
  RALLREC_CHECK(first >= 0 && rows >= 0 && first <= all && rows <= all - first,
                name + ": rows out of range");
  if (rows > 0 && place.bytes > 0) {
    const std::uint64_t row_bytes = place.bytes / static_cast<std::uint64_t>(all);
    state_->input.read_exactly(place.offset + static_cast<std::uint64_t>(first) * row_bytes, out,
                               static_cast<std::uint64_t>(rows) * row_bytes);
  }
}

std::vector<std::string> Hdf5File::read_strings(const std::string& name) const {
  const auto bytes = read<std::uint8_t>(name + ".bytes");
  const auto offsets = read<std::int64_t>(name + ".offsets");
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != size) {
    state_->fail(name + ".offsets", "must run from 0 to the number of bytes");
  }
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] < offsets[i - 1]) {
      state_->fail(name + ".offsets", "must not fall, at position " + std::to_string(i));
    }
  }
  std::vector<std::string> texts;
  for (std::size_t i = 1; i < offsets.size(); ++i) {
    texts.emplace_back(bytes.begin() + offsets[i - 1], bytes.begin() + offsets[i]);
    if (find_invalid_utf8(texts.back()) != std::string::npos) {
      state_->fail(name + ".bytes", "text " + std::to_string(i - 1) + " is not valid UTF-8");
    }
  }
  return texts;
}

// Calls read(attribute, type, size) once kind, size and scalar extent are as expected.
template <typename Read>
void Hdf5File::State::with_attribute(const std::string& key, H5T_class_t kind,
                                     const Read& read) const {
  const auto lock = lock_hdf5();
  const std::string where = input.path() + ": attribute '" + key + "'";
  if (H5Aexists(file.get(), key.c_str()) <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw_bad_data(where, "is missing");
  }
  const Hdf5Handle attribute(H5Aopen(file.get(), key.c_str(), H5P_DEFAULT), H5Aclose);
  const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const std::size_t size = type.valid() ? H5Tget_size(type.get()) : 0;
  const bool sound = space.valid() && H5Sget_simple_extent_type(space.get()) == H5S_SCALAR &&
                     H5Tget_class(type.get()) == kind && size > 0 && size <= kMaxAttributeBytes &&
                     (kind == H5T_STRING ? H5Tis_variable_str(type.get()) == 0 : size == 8) &&
                     H5Aget_storage_size(attribute.get()) == size;
  if (!sound || !read(attribute.get(), type.get(), size)) {
    H5Eclear2(H5E_DEFAULT);
    throw_bad_data(where, "is not of the expected kind");
  }
}

bool Hdf5File::has_attribute(const std::string& key) const {
  const auto lock = lock_hdf5();
  return H5Aexists(state_->file.get(), key.c_str()) > 0;
}

std::int64_t Hdf5File::int_attribute(const std::string& key) const {
  std::int64_t value = 0;
  state_->with_attribute(key, H5T_INTEGER, [&](hid_t attribute, hid_t type, std::size_t) {
    return H5Tequal(type, H5T_STD_I64LE) > 0 && H5Aread(attribute, H5T_STD_I64LE, &value) >= 0;
  });
  return value;
}

double Hdf5File::double_attribute(const std::string& key) const {
  double value = 0;
  state_->with_attribute(key, H5T_FLOAT, [&](hid_t attribute, hid_t type, std::size_t) {
    return H5Tequal(type, H5T_IEEE_F64LE) > 0 && H5Aread(attribute, H5T_IEEE_F64LE, &value) >= 0;
  });
  return value;
}

std::string Hdf5File::string_attribute(const std::string& key) const {
  std::string value;
  state_->with_attribute(key, H5T_STRING, [&](hid_t attribute, hid_t type, std::size_t size) {
    value.resize(size);
    return H5Aread(attribute, type, value.data()) >= 0;
  });
  value.resize(::strnlen(value.data(), value.size()));
  return value;
}

}  // namespace rallrec::io
