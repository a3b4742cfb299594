#include <map>

#include "core/check.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/hdf5_file.h"
#include "io/hdf5_handle.h"
#include "io/hdf5_types.h"

namespace rallrec::io {
namespace {

struct Array {
  Hdf5Handle id;
  Hdf5Type type = Hdf5Type::kUInt8;
  std::vector<hsize_t> shape;
};

// Plain storage: one piece, no time stamps, and no pass that writes fill values first.
Hdf5Handle plain_storage() {
  Hdf5Handle storage(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_layout(storage.get(), H5D_CONTIGUOUS);
  H5Pset_alloc_time(storage.get(), H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(storage.get(), H5D_FILL_TIME_NEVER);
  H5Pset_obj_track_times(storage.get(), false);
  return storage;
}

// All links and attributes stay in the root group's own header, which has a checksum: no B-tree and
// no heap, the parts of the format in which damaged files have crashed the library.
Hdf5Handle compact_root() {
  constexpr unsigned kMost = 65535;
  Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_link_phase_change(creation.get(), kMost, 0);
  H5Pset_attr_phase_change(creation.get(), kMost, 0);
  H5Pset_obj_track_times(creation.get(), false);
  return creation;
}

}  // namespace

struct Hdf5Writer::State {
  explicit State(const std::string& file_path) : path(file_path), temporary(file_path) {}

  [[noreturn]] void fail(const std::string& operation) const {
    throw_io(path, operation + " (HDF5: " + take_hdf5_error() + ")", 0);
  }
  void check(bool good, const std::string& operation) const {
    if (!good) {
      fail(operation);
    }
  }
  void write_attribute(const std::string& key, hid_t type, const void* value) {
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle attribute(
        H5Acreate2(file.get(), key.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check(attribute.valid() && H5Awrite(attribute.get(), type, value) >= 0,
          "writing attribute " + key);
  }

  std::string path;
  TemporaryFile temporary;
  Hdf5Handle file;
  std::map<std::string, Array> arrays;
};

Hdf5Writer::Hdf5Writer(const std::string& path) : state_(std::make_unique<State>(path)) {
  const auto lock = lock_hdf5();
  const Hdf5Handle access = file_access();
  const Hdf5Handle creation = compact_root();
  state_->file = Hdf5Handle(
      H5Fcreate(state_->temporary.name().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()),
      H5Fclose);
  state_->check(state_->file.valid(), "creating the file");
}

Hdf5Writer::~Hdf5Writer() {
  const auto lock = lock_hdf5();
  state_->arrays.clear();
  state_->file.reset();
}

void Hdf5Writer::create(const std::string& name, Hdf5Type type,
                        const std::vector<std::int64_t>& shape) {
  RALLREC_CHECK(is_plain_array_name(name), "'" + name + "' is no name for an array");
  RALLREC_CHECK(shape.size() == 1 || shape.size() == 2, name + ": one or two dimensions");
  const auto lock = lock_hdf5();
  Array array;
  array.type = type;
  array.shape.assign(shape.begin(), shape.end());
  const Hdf5Handle space(
      H5Screate_simple(static_cast<int>(shape.size()), array.shape.data(), nullptr), H5Sclose);
  const Hdf5Handle storage = plain_storage();
  array.id = Hdf5Handle(H5Dcreate2(state_->file.get(), name.c_str(), file_type(type), space.get(),
                                   H5P_DEFAULT, storage.get(), H5P_DEFAULT),
                        H5Dclose);
  state_->check(array.id.valid(), "creating array " + name);
  state_->arrays.insert_or_assign(name, std::move(array));
}

void Hdf5Writer::write_rows(const std::string& name, std::int64_t first, std::int64_t rows,
                            const void* values) {
  const auto found = state_->arrays.find(name);
  RALLREC_CHECK(found != state_->arrays.end(), "array " + name + " was not created");
  const Array& array = found->second;
  RALLREC_CHECK(first >= 0 && rows >= 0 &&
                    static_cast<hsize_t>(first) + static_cast<hsize_t>(rows) <= array.shape[0],
                name + ": rows out of range");
  std::vector<hsize_t> count = array.shape;
  count[0] = static_cast<hsize_t>(rows);
  if (rows == 0 || count.back() == 0) {
    return;
  }
  const auto lock = lock_hdf5();
  std::vector<hsize_t> start(count.size(), 0);
  start[0] = static_cast<hsize_t>(first);
  const Hdf5Handle there(H5Dget_space(array.id.get()), H5Sclose);
  const Hdf5Handle here(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                        H5Sclose);
  const bool done = H5Sselect_hyperslab(there.get(), H5S_SELECT_SET, start.data(), nullptr,
                                        count.data(), nullptr) >= 0 &&
                    H5Dwrite(array.id.get(), file_type(array.type), here.get(), there.get(),
                             H5P_DEFAULT, values) >= 0;
  state_->check(done, "writing array " + name);
}

void Hdf5Writer::add_strings(const std::string& name, const std::vector<std::string>& texts) {
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::uint8_t> bytes;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  add(name + ".bytes", bytes);
  add(name + ".offsets", offsets);
}

void Hdf5Writer::set_attribute(const std::string& key, std::int64_t value) {
  const auto lock = lock_hdf5();
  state_->write_attribute(key, H5T_STD_I64LE, &value);
}

void Hdf5Writer::set_attribute(const std::string& key, double value) {
  const auto lock = lock_hdf5();
  state_->write_attribute(key, H5T_IEEE_F64LE, &value);
}

void Hdf5Writer::set_attribute(const std::string& key, const std::string& value) {
  const auto lock = lock_hdf5();
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), value.size() + 1);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  state_->write_attribute(key, type.get(), value.c_str());
}

void Hdf5Writer::commit() {
  {
    const auto lock = lock_hdf5();
    for (auto& entry : state_->arrays) {
      state_->check(entry.second.id.reset(), "writing array " + entry.first);
    }
    state_->check(H5Fflush(state_->file.get(), H5F_SCOPE_GLOBAL) >= 0, "writing the file");
    state_->check(state_->file.reset(), "closing the file");
  }
  state_->temporary.publish();
}

}  // namespace rallrec::io
