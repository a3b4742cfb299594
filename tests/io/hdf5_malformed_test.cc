#include <gtest/gtest.h>
#include <hdf5.h>

#include <functional>

#include "io/hdf5_file.h"
#include "tests/support/malformed.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::is_refused;
using rallrec::testing::Malformed;
using rallrec::testing::record_refused;
using rallrec::testing::TemporaryFolder;

std::string good_bytes() {
  const TemporaryFolder folder;
  Hdf5Writer writer(folder.file("good.h5"));
  writer.add("x", std::vector<double>(100, 0.5));
  writer.commit();
  return folder.get("good.h5");
}

std::string with_byte(std::string bytes, std::size_t at, char value) {
  bytes[at] = value;
  return bytes;
}

std::vector<Malformed> byte_cases() {
  const std::string good = good_bytes();
  const std::string other = "not an HDF5 file of version 1.8 or later";
  const std::string damaged = "not an HDF5 file, or damaged: ";
  return {
      {"empty", "", other},
      {"text", "user,item\n1,2\n", other},
      {"zeros", std::string(10000, '\0'), other},
      {"signature alone", good.substr(0, 8), other},
      {"signature after text mode", "\x89HDF\n\x1A\n" + good.substr(8), other},
      {"signature behind 512 bytes", std::string(512, ' ') + good, other},
      {"netCDF classic", "CDF\x01" + good, other},
      {"a later version", with_byte(good, 8, '\x09'), other},
      {"half of the first block", good.substr(0, 24), damaged},
      {"the first block alone", good.substr(0, 48), damaged},
      {"first half", good.substr(0, good.size() / 2), damaged},
      {"last byte missing", good.substr(0, good.size() - 1), damaged},
      {"offsets of 4 bytes", with_byte(good, 9, '\x04'), damaged},
      {"a flag without its checksum", with_byte(good, 11, '\x01'), damaged},
  };
}

void read_x(const std::string& path) { Hdf5File(path).read<double>("x"); }

TEST(Hdf5Malformed, Bytes) { expect_refused("f.h5", byte_cases(), 14, read_x); }

// Makes a file with the library itself, in forms that our writer never uses.
void make_foreign(const std::string& path, const std::function<void(hid_t file)>& fill) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  fill(file);
  H5Fclose(file);
  H5Pclose(access);
}

void make_array(hid_t file, hid_t type, const std::vector<hsize_t>& shape, hid_t storage) {
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t array = H5Dcreate2(file, "x", type, space, H5P_DEFAULT, storage, H5P_DEFAULT);
  const std::vector<double> values(4096);
  if (H5Tget_class(type) == H5T_FLOAT) {
    H5Dwrite(array, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  }
  H5Dclose(array);
  H5Sclose(space);
}

void with_storage(hid_t file, const std::function<void(hid_t)>& set) {
  const hid_t storage = H5Pcreate(H5P_DATASET_CREATE);
  set(storage);
  make_array(file, H5T_IEEE_F64LE, {64}, storage);
  H5Pclose(storage);
}

struct Foreign {
  const char* name;
  std::string message;
  std::function<void(hid_t)> fill;
};

std::vector<Foreign> foreign_files() {
  const hsize_t chunk[1] = {16};
  return {
      {"array missing", "is missing", [](hid_t) {}},
      {"a group", "is not an array",
       [](hid_t file) { H5Gclose(H5Gcreate2(file, "x", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); }},
      {"soft link", "soft or external link",
       [](hid_t file) { H5Lcreate_soft("/y", file, "x", H5P_DEFAULT, H5P_DEFAULT); }},
      {"external link", "soft or external link",
       [](hid_t file) {
         H5Lcreate_external("/etc/passwd", "/y", file, "x", H5P_DEFAULT, H5P_DEFAULT);
       }},
      {"chunks", "not stored in one piece",
       [=](hid_t file) { with_storage(file, [=](hid_t s) { H5Pset_chunk(s, 1, chunk); }); }},
      {"compressed chunks", "not stored in one piece",
       [=](hid_t file) {
         with_storage(file, [=](hid_t s) {
           H5Pset_chunk(s, 1, chunk);
           H5Pset_deflate(s, 6);
         });
       }},
      {"inside its header", "not stored in one piece",
       [](hid_t file) { with_storage(file, [](hid_t s) { H5Pset_layout(s, H5D_COMPACT); }); }},
      {"bytes in another file", "stored in other files",
       [](hid_t file) {
         with_storage(file, [](hid_t s) { H5Pset_external(s, "/dev/zero", 0, 512); });
       }},
      {"never written", "bytes are not all in the file",
       [](hid_t file) { make_array(file, H5T_STD_I32LE, {1000}, H5P_DEFAULT); }},
      {"big endian", "is not of uint8",
       [](hid_t file) { make_array(file, H5T_IEEE_F64BE, {4}, H5P_DEFAULT); }},
      {"16 bits", "is not of uint8",
       [](hid_t file) { make_array(file, H5T_STD_I16LE, {4}, H5P_DEFAULT); }},
      {"texts of any length", "is not of uint8",
       [](hid_t file) {
         const hid_t text = H5Tcopy(H5T_C_S1);
         H5Tset_size(text, H5T_VARIABLE);
         make_array(file, text, {4}, H5P_DEFAULT);
         H5Tclose(text);
       }},
      {"references", "is not of uint8",
       [](hid_t file) { make_array(file, H5T_STD_REF_OBJ, {4}, H5P_DEFAULT); }},
      {"three dimensions", "has 3 dimensions",
       [](hid_t file) {
         make_array(file, H5T_IEEE_F64LE, {2, 2, 2}, H5P_DEFAULT);
       }},
      {"a matrix", "expected float64 with 1 dimensions, found float64 with 2",
       [](hid_t file) {
         make_array(file, H5T_IEEE_F64LE, {2, 2}, H5P_DEFAULT);
       }},
      {"single precision", "expected float64 with 1 dimensions, found float32",
       [](hid_t file) { make_array(file, H5T_IEEE_F32LE, {2}, H5P_DEFAULT); }},
  };
}

TEST(Hdf5Malformed, ForeignForms) {
  const TemporaryFolder folder;
  const std::string path = folder.file("f.h5");
  int refused = 0;
  for (const Foreign& foreign : foreign_files()) {
    SCOPED_TRACE(foreign.name);
    make_foreign(path, foreign.fill);
    refused += is_refused(ExitCode::kBadData, path + ": array 'x': ", foreign.message,
                          [&] { read_x(path); });
  }
  record_refused(refused, 16);
}

TEST(Hdf5Malformed, FormsWithoutChecksums) {
  const TemporaryFolder folder;
  const std::string old = folder.file("old.h5");
  H5Fclose(H5Fcreate(old.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const std::string dense = folder.file("dense.h5");
  make_foreign(dense, [](hid_t file) {
    for (int i = 0; i < 20; ++i) {
      H5Lcreate_soft("/y", file, std::to_string(i).c_str(), H5P_DEFAULT, H5P_DEFAULT);
    }
  });
  int refused = is_refused(ExitCode::kBadData, old, "not an HDF5 file of version 1.8 or later",
                           [&] { Hdf5File file(old); });
  refused += is_refused(ExitCode::kBadData, dense, "its root group is damaged, or in a form",
                        [&] { Hdf5File file(dense); });
  record_refused(refused, 2);
}

TEST(Hdf5Malformed, NoFile) {
  const TemporaryFolder folder;
  int refused = is_refused(ExitCode::kMissingInput, folder.file("g"), "no such file",
                           [&] { Hdf5File file(folder.file("g")); });
  refused += is_refused(ExitCode::kBadData, folder.path(), "is a folder",
                        [&] { Hdf5File file(folder.path()); });
  record_refused(refused, 2);
}

// A file that this program wrote, with other arrays than the ones that are read.
struct Content {
  const char* name;
  std::string message;
  std::function<void(Hdf5Writer&)> fill;
  std::function<void(const Hdf5File&)> read;
};

std::vector<Content> content_cases() {
  const auto texts = [](const char* name, std::vector<std::int64_t> offsets, const char* message) {
    return Content{name, message,
                   [offsets](Hdf5Writer& writer) {
                     writer.add("t.bytes", std::vector<std::uint8_t>{'a', 0xFF, 'b'});
                     writer.add("t.offsets", offsets);
                   },
                   [](const Hdf5File& file) { file.read_strings("t"); }};
  };
  const auto rows = [](Hdf5Writer& writer) { writer.set_attribute("rows", std::int64_t{5}); };
  const auto tau = [](Hdf5Writer& writer) { writer.set_attribute("tau", 0.25); };
  const auto integers = [](Hdf5Writer& writer) { writer.add("x", std::vector<std::int32_t>{1}); };
  return {
      texts("no offsets", {}, "array 't.offsets': must run from 0"),
      texts("first offset", {1, 3}, "array 't.offsets': must run from 0"),
      texts("last offset", {0, 2}, "array 't.offsets': must run from 0"),
      texts("offsets that fall", {0, 2, 1, 3}, "must not fall, at position 2"),
      texts("offset behind the end", {0, 9, 3}, "must not fall, at position 2"),
      texts("negative offset", {0, -1, 3}, "must not fall, at position 1"),
      texts("bytes that are no text", {0, 3}, "array 't.bytes': text 0 is not valid UTF-8"),
      {"texts without offsets", "array 't.offsets': is missing",
       [](Hdf5Writer& writer) { writer.add("t.bytes", std::vector<std::uint8_t>{'a'}); },
       [](const Hdf5File& file) { file.read_strings("t"); }},
      {"integers for numbers", "expected float64 with 1 dimensions, found int32 with 1", integers,
       [](const Hdf5File& file) { file.read<double>("x"); }},
      {"a list for a matrix", "expected int32 with 2 dimensions, found int32 with 1", integers,
       [](const Hdf5File& file) { file.read_matrix<std::int32_t>("x"); }},
      {"attribute missing", "attribute 'rowz': is missing", rows,
       [](const Hdf5File& file) { file.int_attribute("rowz"); }},
      {"number for a count", "attribute 'tau': is not of the expected kind", tau,
       [](const Hdf5File& file) { file.int_attribute("tau"); }},
      {"count for a number", "attribute 'rows': is not of the expected kind", rows,
       [](const Hdf5File& file) { file.double_attribute("rows"); }},
      {"count for a text", "attribute 'rows': is not of the expected kind", rows,
       [](const Hdf5File& file) { file.string_attribute("rows"); }},
  };
}

TEST(Hdf5Malformed, Contents) {
  const TemporaryFolder folder;
  const std::string path = folder.file("f.h5");
  int refused = 0;
  for (const Content& content : content_cases()) {
    SCOPED_TRACE(content.name);
    Hdf5Writer writer(path);
    content.fill(writer);
    writer.commit();
    refused += is_refused(ExitCode::kBadData, path, content.message,
                          [&] { content.read(Hdf5File(path)); });
  }
  record_refused(refused, 14);
}

}  // namespace
}  // namespace rallrec::io
