#include "kernels/embedding_gather.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/parallel_for.h"
#include "core/rng.h"
#include "kernels/segment_sum.h"
#include "tests/support/bfloat16.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t count;
};

using EmbeddingGather = testing::DeviceTest<Shape>;

std::vector<std::int64_t> random_ids(const Shape& shape) {
  Rng rng(41);
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < shape.count; ++i) {
    // Half of them the same row, as popular items are.
    const bool popular = rng.next_below(2) == 0;
    ids.push_back(popular ? 0 : static_cast<std::int64_t>(rng.next_below(shape.rows)));
  }
  return ids;
}

TEST_P(EmbeddingGather, WidensRows) {
  const auto [rows, columns, count] = shape();
  const auto ids = random_ids(shape());
  const auto bits = testing::random_bfloat16(rows * columns, 8);
  const auto table = testing::widened(bits);
  const auto there = on_device(ids);
  const auto halves = on_device(bits);
  const auto floats = on_device(table);
  const auto y = empty<float>(count * columns);
  const auto z = empty<float>(count * columns);
  embedding_gather(queue(), TableType::kBfloat16, halves.get(), rows, columns, there.get(), count,
                   y.get());
  embedding_gather(queue(), TableType::kFloat32, floats.get(), rows, columns, there.get(), count,
                   z.get());
  std::vector<float> want;
  for (const std::int64_t id : ids) {
    want.insert(want.end(), table.begin() + id * columns, table.begin() + (id + 1) * columns);
  }
  EXPECT_EQ(y.host(), want);
  EXPECT_EQ(z.host(), want);
}

TEST_P(EmbeddingGather, AnIdOutsideIsNotTakenForARow) {
  const auto [rows, columns, count] = shape();
  const auto table = on_device(testing::random_floats(rows * columns, 9));
  const auto y = empty<float>(2 * columns);
  for (const std::int64_t bad : {std::int64_t{-1}, rows}) {
    const std::vector<std::int64_t> ids = {bad, 0};
    const auto there = on_device(ids);
    const auto gather = [&, rows = rows, columns = columns] {
      embedding_gather(queue(), TableType::kFloat32, table.get(), rows, columns, there.get(), 2,
                       y.get());
    };
    if (queue().device == Device::kCpu) {
      EXPECT_THROW(gather(), Error);
    } else {
      gather();
      const auto got = y.host();
      EXPECT_TRUE(std::isnan(got[0]));
      EXPECT_FALSE(std::isnan(got[static_cast<std::size_t>(columns)]));
    }
  }
}

TEST_P(EmbeddingGather, GradientIsTheSumOverARowsPlaces) {
  const auto [rows, columns, count] = shape();
  const auto ids = random_ids(shape());
  const RowGroups groups = group_rows(ids.data(), count);
  const auto host_dy = testing::random_floats(count * columns, 10);
  const auto host_table = testing::random_floats(rows * columns, 11);
  const auto group_rows_there = on_device(groups.rows);
  const auto offsets = on_device(groups.offsets);
  const auto members = on_device(groups.members);
  const auto dy = on_device(host_dy);
  const auto table = on_device(host_table);
  segment_sum(queue(),
              {static_cast<std::int64_t>(groups.rows.size()), group_rows_there.get(), offsets.get(),
               members.get()},
              columns, dy.get(), table.get());
  std::vector<double> want(host_table.size());
  std::copy(host_table.begin(), host_table.end(), want.begin());
  std::vector<double> magnitude(want.size(), 1.0);
  for (std::int64_t i = 0; i < count * columns; ++i) {
    const auto at = static_cast<std::size_t>(ids[static_cast<std::size_t>(i / columns)] * columns +
                                             i % columns);
    want[at] += host_dy[static_cast<std::size_t>(i)];
    magnitude[at] += std::fabs(host_dy[static_cast<std::size_t>(i)]);
  }
  const auto got = table.host();
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], 3e-6 * magnitude[i]) << i;
  }
}

TEST_P(EmbeddingGather, GradientHasTheBitsOfTheCpu) {
  const auto [rows, columns, count] = shape();
  const auto ids = random_ids(shape());
  const RowGroups groups = group_rows(ids.data(), count);
  const auto host_dy = testing::random_floats(count * columns, 12);
  std::vector<float> want(static_cast<std::size_t>(rows * columns), 1.0F);
  const auto table = on_device(want);
  const auto group_rows_there = on_device(groups.rows);
  const auto offsets = on_device(groups.offsets);
  const auto members = on_device(groups.members);
  const auto dy = on_device(host_dy);
  const auto size = static_cast<std::int64_t>(groups.rows.size());
  set_thread_count(2);
  segment_sum({}, {size, groups.rows.data(), groups.offsets.data(), groups.members.data()}, columns,
              host_dy.data(), want.data());
  set_thread_count(1);
  segment_sum(queue(), {size, group_rows_there.get(), offsets.get(), members.get()}, columns,
              dy.get(), table.get());
  EXPECT_EQ(table.host(), want);
}

INSTANTIATE_TEST_SUITE_P(Shapes, EmbeddingGather,
                         testing::on_every_device(Shape{1, 1, 0}, Shape{1, 1, 1}, Shape{5, 3, 7},
                                                  Shape{9, 64, 33}, Shape{100, 577, 20},
                                                  Shape{300, 576, 40}, Shape{50, 129, 200}),
                         testing::device_and_number<EmbeddingGather::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
