#include "kernels/spmm_bitmap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "kernels/spmm.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::DeviceTest;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;

// A matrix of zeros and ones with its scales; as compressed rows with scaled values too.
struct Graph {
  std::int64_t columns_of_matrix = 0;
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> values, row_scale, column_scale;

  std::int64_t rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  CsrView view() const {
    return {rows(), columns_of_matrix, offsets.data(), columns.data(), values.data()};
  }
  void close_row() { offsets.push_back(static_cast<std::int64_t>(columns.size())); }
  void set_scales() {
    row_scale = positive(rows(), 11);
    column_scale = positive(columns_of_matrix, 12);
    for (std::int64_t r = 0; r < rows(); ++r) {
      for (std::int64_t e = offsets[r]; e < offsets[r + 1]; ++e) {
        values.push_back(row_scale[r] * column_scale[columns[e]]);
      }
    }
  }
  static std::vector<float> positive(std::int64_t count, std::uint64_t seed) {
    auto values = random_floats(count, seed);
    for (float& value : values) {
      value = 0.05F + std::fabs(value);
    }
    return values;
  }
};

// One element in `one_in`; every fifth row and columns 128 … 255 are empty.
Graph random_graph(std::int64_t rows, std::int64_t columns, std::uint32_t one_in) {
  Rng rng(5);
  Graph graph;
  graph.columns_of_matrix = columns;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns && r % 5 != 0; ++c) {
      if (rng.next_below(one_in) == 0 && c / 128 != 1) {
        graph.columns.push_back(static_cast<std::int32_t>(c));
      }
    }
    graph.close_row();
  }
  graph.set_scales();
  return graph;
}

struct DeviceGraph {
  DeviceGraph(TestDevice& device, const Graph& graph)
      : bitmap(make_bitmap(graph.view())),
        words(device, bitmap.words),
        row_scale(device, graph.row_scale),
        column_scale(device, graph.column_scale),
        offsets(device, graph.offsets),
        columns(device, graph.columns),
        values(device, graph.values),
        view{bitmap.rows, bitmap.columns, words.get(), row_scale.get(), column_scale.get()},
        csr{bitmap.rows, bitmap.columns, offsets.get(), columns.get(), values.get()} {}

  Bitmap bitmap;
  DeviceArray<std::uint64_t> words;
  DeviceArray<float> row_scale, column_scale;
  DeviceArray<std::int64_t> offsets;
  DeviceArray<std::int32_t> columns;
  DeviceArray<float> values;
  BitmapView view;
  CsrView csr;
};

struct Wanted {
  std::vector<double> value, magnitude;
};

Wanted formula(const Graph& graph, const std::vector<float>& x, std::int64_t width) {
  Wanted want;
  for (std::int64_t r = 0; r < graph.rows(); ++r) {
    for (std::int64_t c = 0; c < width; ++c) {
      double value = 0.0;
      double magnitude = 0.0;
      for (std::int64_t e = graph.offsets[r]; e < graph.offsets[r + 1]; ++e) {
        const std::int32_t from = graph.columns[e];
        const double term = double{graph.row_scale[r]} * graph.column_scale[from] *
                            x[static_cast<std::size_t>(from * width + c)];
        value += term;
        magnitude += std::fabs(term);
      }
      want.value.push_back(value);
      want.magnitude.push_back(magnitude);
    }
  }
  return want;
}

struct Shape {
  std::int64_t rows, columns, width;
  std::uint32_t one_in;
};

class SpmmBitmap : public DeviceTest<Shape> {};

// The bound that the header states: 2^-19 of the absolute terms, which one or two bf16 parts miss.
constexpr double kBound = 1.0 / (1 << 19);

TEST_P(SpmmBitmap, EqualsTheDoubleProductAndThePathOfCompressedRows) {
  const Shape s = shape();
  const Graph graph = random_graph(s.rows, s.columns, s.one_in);
  const auto host_x = random_floats(s.columns * s.width, 1);
  const auto host_addend = random_floats(s.rows * s.width, 2);
  const Wanted want = formula(graph, host_x, s.width);
  const DeviceGraph matrix(device(), graph);
  const auto x = on_device(host_x);
  const auto y = empty<float>(s.rows * s.width);
  const auto by_rows = empty<float>(s.rows * s.width);
  const auto in_place = on_device(host_addend);
  spmm_bitmap(queue(), matrix.view, x.get(), s.width, nullptr, 1.0F, y.get());
  constexpr float kScale = 0.375F;
  spmm_bitmap(queue(), matrix.view, x.get(), s.width, in_place.get(), kScale, in_place.get());
  spmm(queue(), matrix.csr, x.get(), s.width, nullptr, 1.0F, by_rows.get());
  const auto got = y.host();
  const auto added = in_place.host();
  const auto other = by_rows.host();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double bound = kBound * want.magnitude[i];
    ASSERT_NEAR(got[i], want.value[i], bound) << i;
    ASSERT_NEAR(got[i], other[i], 2 * bound) << i;
    ASSERT_NEAR(added[i] / kScale, want.value[i] + host_addend[i],
                bound + 1e-7 * (want.magnitude[i] + std::fabs(host_addend[i])))
        << i;
  }
}

// Sizes 0 and 1; rows and columns below, at and beyond a tile, a block and a part of 1,024 columns;
// widths below, at and beyond the 64 of LightGCN; sparse enough for empty tiles.
INSTANTIATE_TEST_SUITE_P(Shapes, SpmmBitmap,
                         testing::on_every_device(Shape{0, 3, 4, 2}, Shape{3, 0, 4, 2},
                                                  Shape{5, 4, 0, 2}, Shape{2, 1, 1, 1},
                                                  Shape{7, 9, 17, 2}, Shape{64, 64, 64, 3},
                                                  Shape{129, 70, 64, 3}, Shape{30, 321, 100, 7},
                                                  Shape{140, 1100, 64, 30}, Shape{40, 2200, 3, 400},
                                                  Shape{300, 130, 130, 16}),
                         testing::device_and_number<SpmmBitmap::ParamType>);

class SpmmBitmapBits : public DeviceTest<std::int64_t> {};

TEST_P(SpmmBitmapBits, DependNeitherOnThreadsNorOnTheRangeOfRows) {
  const std::int64_t width = shape();
  const Graph graph = random_graph(150, 1100, 40);
  const DeviceGraph matrix(device(), graph);
  const auto x = on_device(random_floats(1100 * width, 3));
  const auto whole = empty<float>(150 * width);
  spmm_bitmap(queue(), matrix.view, x.get(), width, nullptr, 1.0F, whole.get());
  ThreadCountGuard threads(2);
  const auto parts = empty<float>(150 * width);
  for (std::int64_t begin : {0, 37, 111}) {
    BitmapView range = matrix.view;
    range.words += begin * bitmap_words(1100);
    range.row_scale += begin;
    range.rows = begin == 0 ? 37 : begin == 37 ? 74 : 39;
    spmm_bitmap(queue(), range, x.get(), width, nullptr, 1.0F, parts.get() + begin * width);
  }
  EXPECT_EQ(parts.host(), whole.host());
}

INSTANTIATE_TEST_SUITE_P(Widths, SpmmBitmapBits,
                         testing::on_every_device(std::int64_t{64}, std::int64_t{10}),
                         testing::device_and_number<SpmmBitmapBits::ParamType>);

class SpmmBitmapBit : public DeviceTest<std::int64_t> {};

// With one bit to a row, and scales of powers of two, the result is x itself, whichever column the
// bit is: no column is taken for another and no part of x is lost. A tensor core may cut off the
// last bit where it adds the parts.
TEST_P(SpmmBitmapBit, BringsEachColumnWholly) {
  const std::int64_t columns = shape();
  Graph graph;
  graph.columns_of_matrix = columns;
  for (std::int64_t r = 0; r < columns; ++r) {
    graph.columns.push_back(static_cast<std::int32_t>((r * 7 + 3) % columns));
    graph.close_row();
  }
  graph.values.assign(graph.columns.size(), 0.5F);
  graph.row_scale.assign(graph.columns.size(), 2.0F);
  graph.column_scale.assign(graph.columns.size(), 0.25F);
  const DeviceGraph matrix(device(), graph);
  const auto host_x = random_floats(columns * 5, 4);
  const auto x = on_device(host_x);
  const auto y = empty<float>(columns * 5);
  spmm_bitmap(queue(), matrix.view, x.get(), 5, nullptr, 1.0F, y.get());
  const auto got = y.host();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto from = static_cast<std::size_t>(graph.columns[i / 5]) * 5 + i % 5;
    const float want = 0.5F * host_x[from];
    ASSERT_NEAR(got[i], want, std::fabs(want) / (1 << 22)) << i;
  }
}

// 7 is prime to both, so that every column is named once.
INSTANTIATE_TEST_SUITE_P(Columns, SpmmBitmapBit,
                         testing::on_every_device(std::int64_t{64}, std::int64_t{201}),
                         testing::device_and_number<SpmmBitmapBit::ParamType>);

TEST(MakeBitmap, SetsTheBitsOfTheEntriesAndCountsThem) {
  Graph graph;
  graph.columns_of_matrix = 70;
  for (std::int64_t r = 0; r < 129; ++r) {
    if (r == 2 || r == 128) {
      graph.columns.push_back(69);
      graph.columns.push_back(1);
    }
    graph.close_row();
  }
  const Bitmap bitmap = make_bitmap(graph.view());
  std::vector<std::uint64_t> want(129 * 2);
  want[2 * 2] = want[128 * 2] = 2;
  want[2 * 2 + 1] = want[128 * 2 + 1] = 1U << 5;
  EXPECT_EQ(bitmap.words, want);
  EXPECT_EQ(bitmap.fill.entries, 4);
  EXPECT_EQ(bitmap.fill.tiles, 4);
}

TEST(MakeBitmap, RefusesAnElementTwiceAndAColumnOutside) {
  Graph graph;
  graph.columns_of_matrix = 3;
  graph.columns = {1, 1};
  graph.close_row();
  EXPECT_THROW(make_bitmap(graph.view()), Error);
  graph.columns = {1, 3};
  EXPECT_THROW(make_bitmap(graph.view()), Error);
  graph.columns = {1, -1};
  EXPECT_THROW(make_bitmap(graph.view()), Error);
}

// 128 rows and 64 columns are one tile, which 256 entries make worth while.
TEST(PreferBitmap, GoesByTheEntriesOfTilesThatHaveAny) {
  const auto fill_with = [](std::int64_t entries) {
    Graph graph;
    graph.columns_of_matrix = 64 * 100;  // the other 99 tiles stay empty
    for (std::int64_t r = 0; r < 128; ++r) {
      for (std::int64_t c = 0; c < entries / 128 + (r < entries % 128 ? 1 : 0); ++c) {
        graph.columns.push_back(static_cast<std::int32_t>(c));
      }
      graph.close_row();
    }
    return bitmap_fill(graph.view());
  };
  EXPECT_TRUE(prefer_bitmap(Device::kCuda, fill_with(256)));
  EXPECT_FALSE(prefer_bitmap(Device::kCuda, fill_with(255)));
  EXPECT_FALSE(prefer_bitmap(Device::kCuda, fill_with(0)));
  EXPECT_FALSE(prefer_bitmap(Device::kCpu, fill_with(4096)));
}

TEST(SpmmBitmapChecks, RefusesNullAndTheInputAsResult) {
  const std::uint64_t word = 1;
  const float one = 1.0F;
  float y = 0.0F;
  EXPECT_THROW(spmm_bitmap({}, {1, 1, nullptr, &one, &one}, &one, 1, nullptr, 1.0F, &y), Error);
  EXPECT_THROW(spmm_bitmap({}, {1, 1, &word, &one, nullptr}, &one, 1, nullptr, 1.0F, &y), Error);
  EXPECT_THROW(spmm_bitmap({}, {1, 1, &word, &one, &one}, &one, 1, nullptr, 1.0F, nullptr), Error);
  EXPECT_THROW(spmm_bitmap({}, {1, 1, &word, &one, &one}, &y, 1, nullptr, 1.0F, &y), Error);
  EXPECT_THROW(spmm_bitmap({}, {-1, 1, &word, &one, &one}, &one, 1, nullptr, 1.0F, &y), Error);
}

}  // namespace
}  // namespace rallrec::kernels
