#include "io/hdf5_types.h"

#include <cctype>

namespace rallrec::io {
namespace {

constexpr Hdf5Type kTypes[] = {Hdf5Type::kUInt8, Hdf5Type::kInt32, Hdf5Type::kInt64,
                               Hdf5Type::kFloat32, Hdf5Type::kFloat64};

}  // namespace

std::size_t size_of(Hdf5Type type) {
  constexpr std::size_t kSizes[] = {1, 4, 8, 4, 8};
  return kSizes[static_cast<std::size_t>(type)];
}

const char* name_of(Hdf5Type type) {
  constexpr const char* kNames[] = {"uint8", "int32", "int64", "float32", "float64"};
  return kNames[static_cast<std::size_t>(type)];
}

template <>
Hdf5Type hdf5_type<std::uint8_t>() {
  return Hdf5Type::kUInt8;
}
template <>
Hdf5Type hdf5_type<std::int32_t>() {
  return Hdf5Type::kInt32;
}
template <>
Hdf5Type hdf5_type<std::int64_t>() {
  return Hdf5Type::kInt64;
}
template <>
Hdf5Type hdf5_type<float>() {
  return Hdf5Type::kFloat32;
}
template <>
Hdf5Type hdf5_type<double>() {
  return Hdf5Type::kFloat64;
}

hid_t file_type(Hdf5Type type) {
  switch (type) {
    case Hdf5Type::kUInt8:
      return H5T_STD_U8LE;
    case Hdf5Type::kInt32:
      return H5T_STD_I32LE;
    case Hdf5Type::kInt64:
      return H5T_STD_I64LE;
    case Hdf5Type::kFloat32:
      return H5T_IEEE_F32LE;
    case Hdf5Type::kFloat64:
      return H5T_IEEE_F64LE;
  }
  return -1;
}

bool find_type(hid_t id, Hdf5Type* type) {
  for (const Hdf5Type candidate : kTypes) {
    if (H5Tequal(id, file_type(candidate)) > 0) {
      *type = candidate;
      return true;
    }
  }
  return false;
}

bool is_plain_array_name(const std::string& name) {
  if (name.empty() || name.size() > 200 || name == "." || name == "..") {
    return false;
  }
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.' && c != '-') {
      return false;
    }
  }
  return true;
}

}  // namespace rallrec::io
