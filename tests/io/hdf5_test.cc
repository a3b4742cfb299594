#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "io/hdf5_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

template <typename T>
class Hdf5RoundTrip : public ::testing::Test {};
using Types = ::testing::Types<std::uint8_t, std::int32_t, std::int64_t, float, double>;
TYPED_TEST_SUITE(Hdf5RoundTrip, Types);

TYPED_TEST(Hdf5RoundTrip, VectorsAndMatrices) {
  const TemporaryFolder folder;
  for (const std::int64_t rows : {0, 1, 7, 1000}) {
    for (const std::int64_t columns : {0, 1, 3}) {
      std::vector<TypeParam> values;
      for (std::int64_t i = 0; i < rows * columns; ++i) {
        values.push_back(static_cast<TypeParam>(i * 7 % 251));
      }
      Hdf5Writer writer(folder.file("a.h5"));
      writer.add("vector", values);
      writer.add_matrix("matrix", values.data(), rows, columns);
      writer.commit();
      const Hdf5File file(folder.file("a.h5"));
      EXPECT_EQ(file.read<TypeParam>("vector"), values);
      EXPECT_EQ(file.read_matrix<TypeParam>("matrix"), values);
      EXPECT_EQ(file.info("matrix").shape, (std::vector<std::int64_t>{rows, columns}));
    }
  }
}

TEST(Hdf5, StringsAndAttributes) {
  const TemporaryFolder folder;
  const std::vector<std::string> texts = {"", "one", "zw\xC3\xB6lf", std::string("a\0b", 3), ""};
  Hdf5Writer writer(folder.file("a.h5"));
  writer.add_strings("titles", texts);
  writer.add_strings("none", {});
  writer.set_attribute("rows", std::int64_t{-5});
  writer.set_attribute("tau", 0.25);
  writer.set_attribute("name", std::string("K\xC3\xB6ln"));
  writer.set_attribute("empty", std::string());
  writer.commit();
  const Hdf5File file(folder.file("a.h5"));
  EXPECT_EQ(file.read_strings("titles"), texts);
  EXPECT_TRUE(file.read_strings("none").empty());
  EXPECT_EQ(file.int_attribute("rows"), -5);
  EXPECT_EQ(file.double_attribute("tau"), 0.25);
  EXPECT_EQ(file.string_attribute("name"), "K\xC3\xB6ln");
  EXPECT_EQ(file.string_attribute("empty"), "");
  EXPECT_TRUE(file.has_attribute("rows"));
  EXPECT_FALSE(file.has_attribute("rowz"));
  expect_error(ExitCode::kBadData, "attribute 'rowz': is missing",
               [&] { file.int_attribute("rowz"); });
  expect_error(ExitCode::kBadData, "'tau': is not of the expected",
               [&] { file.int_attribute("tau"); });
  expect_error(ExitCode::kBadData, "'rows': is not of", [&] { file.string_attribute("rows"); });
}

TEST(Hdf5, RowsInAnyOrderAndPart) {
  const TemporaryFolder folder;
  Hdf5Writer writer(folder.file("a.h5"));
  writer.create("m", Hdf5Type::kFloat32, {5, 2});
  const float rows[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  writer.write_rows("m", 3, 2, rows + 6);
  writer.write_rows("m", 0, 3, rows);
  expect_error(ExitCode::kInternal, "rows out of range",
               [&] { writer.write_rows("m", 4, 2, rows); });
  writer.commit();
  const Hdf5File file(folder.file("a.h5"));
  std::vector<float> part(4);
  file.read_rows("m", 2, 2, part.data());
  EXPECT_EQ(part, (std::vector<float>{4, 5, 6, 7}));
  expect_error(ExitCode::kInternal, "rows out of range",
               [&] { file.read_rows("m", 4, 2, part.data()); });
}

TEST(Hdf5, SameCallsGiveTheSameBytes) {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b"}) {
    Hdf5Writer writer(folder.file(name));
    writer.add("x", std::vector<double>{1, 2, 3});
    writer.set_attribute("seed", std::int64_t{1});
    writer.commit();
  }
  EXPECT_EQ(folder.get("a"), folder.get("b"));
}

TEST(Hdf5, AbandonedFilesLeaveNothing) {
  const TemporaryFolder folder;
  {
    Hdf5Writer writer(folder.file("a.h5"));
    writer.add("x", std::vector<double>(1000));
  }
  EXPECT_EQ(folder.entries(), 0u);
  expect_error(ExitCode::kIo, "No such file", [&] { Hdf5Writer writer(folder.file("no/a.h5")); });
}

TEST(Hdf5, AFullDiskIsAnErrorInTheSystemsWords) {
  const TemporaryFolder folder;
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  // The library meets the end of the disk while it makes the file, writes to it or closes it.
  for (const rlim_t bytes : {rlim_t{10}, rlim_t{300}, rlim_t{100000}}) {
    const rlimit small{bytes, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    expect_error(ExitCode::kIo, "(HDF5: File too large) failed", [&] {
      Hdf5Writer writer(folder.file("a.h5"));
      writer.add("x", std::vector<double>(100000));
      writer.commit();
    });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(folder.entries(), 0u);
  }
}

TEST(Hdf5, ThreadsMayWriteAndReadAtOnce) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<double> sums(4);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 20; ++round) {
        const std::string path = folder.file("t" + std::to_string(t));
        Hdf5Writer writer(path);
        writer.add("x", std::vector<double>(100, static_cast<double>(t)));
        writer.commit();
        sums[t] += Hdf5File(path).read<double>("x")[99];
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(sums, (std::vector<double>{0, 20, 40, 60}));
}

TEST(Hdf5, ManyArraysAndAttributes) {
  const TemporaryFolder folder;
  Hdf5Writer writer(folder.file("a.h5"));
  for (int i = 0; i < 100; ++i) {
    writer.add("array_" + std::to_string(i), std::vector<std::int32_t>{i});
    writer.set_attribute("key_" + std::to_string(i), std::int64_t{i});
  }
  writer.commit();
  const Hdf5File file(folder.file("a.h5"));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(file.read<std::int32_t>("array_" + std::to_string(i)), std::vector<std::int32_t>{i});
    EXPECT_EQ(file.int_attribute("key_" + std::to_string(i)), i);
  }
}

TEST(Hdf5, NamesCannotLeadElsewhere) {
  const TemporaryFolder folder;
  Hdf5Writer writer(folder.file("a.h5"));
  for (const char* name : {"", "/", "a/b", "..", "a b"}) {
    expect_error(ExitCode::kInternal, "is no name",
                 [&] { writer.add(name, std::vector<float>(1)); });
  }
  writer.commit();
  expect_error(ExitCode::kBadData, "is missing",
               [&] { Hdf5File(folder.file("a.h5")).info("a/b"); });
}

}  // namespace
}  // namespace rallrec::io
