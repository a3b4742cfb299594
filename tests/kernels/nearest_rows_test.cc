#include "kernels/nearest_rows.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;

struct Shape {
  std::int64_t queries, rows, width, k;
};

struct Found {
  std::vector<std::int32_t> best;
  std::vector<float> scores;
};

// On a device, from host memory.
Found search(TestDevice& device, const NearestTask& task) {
  const auto copied = [&](const auto* values, std::int64_t count) {
    using Value = std::decay_t<decltype(*values)>;
    return std::vector<Value>(values, values + count);
  };
  const bool excludes = task.excluded_offsets != nullptr;
  const std::int64_t excluded = excludes ? task.excluded_offsets[task.query_count] : 0;
  const DeviceArray<float> queries(device, copied(task.queries, task.query_count * task.width));
  const DeviceArray<float> table(device, copied(task.table, task.rows * task.width));
  const DeviceArray<std::int64_t> offsets(
      device, copied(task.excluded_offsets, excludes ? task.query_count + 1 : 0));
  const DeviceArray<std::int32_t> left_out(device, copied(task.excluded, excluded));
  const auto size = static_cast<std::size_t>(task.query_count * task.k);
  const DeviceArray<std::int32_t> best(device, std::vector<std::int32_t>(size, 7));
  const DeviceArray<float> scores(device, std::vector<float>(size, 7.0F));
  NearestTask there = task;
  there.queries = queries.get();
  there.table = table.get();
  if (excludes) {
    there.excluded_offsets = offsets.get();
    there.excluded = left_out.get();
  }
  nearest_rows(device.queue(), there, best.get(), scores.get());
  return {best.host(), scores.host()};
}

// Values of a coarse grid: products are exact and many are equal.
std::vector<float> grid_values(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(rng.next_below(5)) - 2.0F;
  }
  return values;
}

double dot(const float* a, const float* b, std::int64_t width) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < width; ++i) {
    sum += double{a[i]} * b[i];
  }
  return sum;
}

// All products, sorted.
std::vector<std::int32_t> sorted_rows(const NearestTask& task, std::int64_t query) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(task.rows));
  std::iota(rows.begin(), rows.end(), 0);
  if (task.excluded_offsets != nullptr) {
    const auto* first = task.excluded + task.excluded_offsets[query];
    const auto* last = task.excluded + task.excluded_offsets[query + 1];
    rows.erase(std::remove_if(rows.begin(), rows.end(),
                              [&](std::int32_t r) { return std::find(first, last, r) != last; }),
               rows.end());
  }
  const auto score = [&](std::int32_t row) {
    return dot(task.queries + query * task.width, task.table + row * task.width, task.width);
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](std::int32_t a, std::int32_t b) { return score(a) > score(b); });
  return rows;
}

void expect_exact(const NearestTask& task, const Found& found) {
  for (std::int64_t q = 0; q < task.query_count; ++q) {
    const auto expected = sorted_rows(task, q);
    for (std::int64_t place = 0; place < task.k; ++place) {
      const std::size_t at = static_cast<std::size_t>(q * task.k + place);
      if (place < static_cast<std::int64_t>(expected.size())) {
        const std::int32_t row = expected[static_cast<std::size_t>(place)];
        ASSERT_EQ(found.best[at], row) << "query " << q << ", place " << place;
        ASSERT_EQ(found.scores[at],
                  static_cast<float>(dot(task.queries + q * task.width,
                                         task.table + row * task.width, task.width)));
      } else {
        ASSERT_EQ(found.best[at], -1);
        ASSERT_EQ(found.scores[at], 0.0F);
      }
    }
  }
}

class NearestRows : public testing::DeviceTest<Shape> {};

TEST_P(NearestRows, EqualTheSortedProductsWhateverTheThreads) {
  const Shape s = shape();
  const auto queries = grid_values(s.queries * s.width, 1);
  const auto table = grid_values(s.rows * s.width, 2);
  const NearestTask task{queries.data(), s.queries, table.data(), s.rows, s.width, s.k};
  for (const int threads : {1, 2}) {
    const ThreadCountGuard guard(threads);
    expect_exact(task, search(device(), task));
  }
}

TEST_P(NearestRows, LeaveOutWhatAQueryDoesNotWant) {
  const Shape s = shape();
  const auto queries = grid_values(s.queries * s.width, 3);
  const auto table = grid_values(s.rows * s.width, 4);
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> excluded;
  Rng rng(5);
  for (std::int64_t q = 0; q < s.queries; ++q) {
    for (std::int64_t row = 0; row < s.rows; ++row) {
      if (rng.next_below(q == 0 ? 1 : 3) == 0) {
        excluded.push_back(static_cast<std::int32_t>(row));
      }
    }
    offsets.push_back(static_cast<std::int64_t>(excluded.size()));
  }
  NearestTask task{queries.data(), s.queries, table.data(),   s.rows,
                   s.width,        s.k,       offsets.data(), excluded.data()};
  const ThreadCountGuard guard(2);
  expect_exact(task, search(device(), task));
  task.most_products = 100;
  expect_exact(task, search(device(), task));
}

INSTANTIATE_TEST_SUITE_P(Shapes, NearestRows,
                         testing::on_every_device(Shape{0, 5, 3, 2}, Shape{3, 0, 3, 2},
                                                  Shape{2, 5, 0, 3}, Shape{1, 1, 1, 1},
                                                  Shape{3, 4, 5, 9}, Shape{9, 250, 7, 5},
                                                  Shape{2, 900, 16, 3}),
                         testing::device_and_number<NearestRows::ParamType>);

// Blocks of the table on a CPU.
INSTANTIATE_TEST_SUITE_P(Large, NearestRows,
                         ::testing::Combine(::testing::Values(std::string("cpu")),
                                            ::testing::Values(Shape{40, 4500, 33, 20})),
                         testing::device_and_number<NearestRows::ParamType>);

class NearestRowsScores : public testing::DeviceTest<std::int64_t> {};

TEST_P(NearestRowsScores, AreNearDoubleProducts) {
  const std::int64_t width = 96;
  const std::int64_t rows = shape();
  const auto queries = random_floats(3 * width, 1);
  const auto table = random_floats(rows * width, 2);
  const Found found = search(device(), {queries.data(), 3, table.data(), rows, width, 4});
  for (std::int64_t i = 0; i < 12; ++i) {
    EXPECT_NEAR(found.scores[i],
                dot(queries.data() + i / 4 * width, table.data() + found.best[i] * width, width),
                1e-4);
  }
}

TEST_P(NearestRowsScores, NeverFindNotANumber) {
  const std::vector<float> query{1.0F};
  const std::vector<float> table{std::numeric_limits<float>::quiet_NaN(), 2.0F,
                                 -std::numeric_limits<float>::infinity(), 3.0F};
  const Found found = search(device(), {query.data(), 1, table.data(), 4, 1, 4});
  EXPECT_EQ(found.best, (std::vector<std::int32_t>{3, 1, -1, -1}));
}

INSTANTIATE_TEST_SUITE_P(Rows, NearestRowsScores, testing::on_every_device(std::int64_t{300}),
                         testing::device_and_number<NearestRowsScores::ParamType>);

TEST(NearestRowsChecks, RefuseNegativeSizesAndNull) {
  std::int32_t best = 0;
  float score = 0.0F;
  rallrec::testing::expect_error(ExitCode::kInternal, "nearest_rows: negative size", [&] {
    nearest_rows({}, {nullptr, 0, nullptr, -1, 1, 1}, &best, &score);
  });
  rallrec::testing::expect_error(ExitCode::kInternal, "nearest_rows: null input", [&] {
    nearest_rows({}, {nullptr, 1, nullptr, 1, 1, 1}, &best, &score);
  });
}

}  // namespace
}  // namespace rallrec::kernels
