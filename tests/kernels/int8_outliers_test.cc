#include "kernels/int8_outliers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "core/parallel_for.h"
#include "core/rng.h"

namespace rallrec::kernels {
namespace {

using Kind = OutlierRule::Kind;

struct Case {
  std::int64_t rows, depth, columns;
};

// Rows of normal numbers with a few large ones, some rows with a huge one.
std::vector<float> spiky_floats(std::int64_t rows, std::int64_t depth) {
  Rng rng(3);
  std::vector<float> x(static_cast<std::size_t>(rows * depth));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < depth; ++k) {
      const double size = rng.next_below(50) == 0 ? 30.0 : 1.0;
      x[static_cast<std::size_t>(i * depth + k)] = static_cast<float>(size * rng.next_normal());
    }
    if (i % 3 == 0) {
      x[static_cast<std::size_t>(i * depth + i % depth)] = 3000.0F;
    }
  }
  return x;
}

// The rule by its definition, in double: column → value.
std::map<std::int64_t, double> outliers_of(std::vector<double> row, const OutlierRule& rule) {
  std::map<std::int64_t, double> taken;
  for (bool more = true; more;) {
    double limit = rule.limit;
    if (rule.kind == Kind::kTimesRms) {
      double squares = 0;
      for (const double value : row) {
        squares += value * value;
      }
      limit *= std::sqrt(squares / static_cast<double>(row.size()));
    }
    more = false;
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (row[k] != 0.0 && std::fabs(row[k]) >= limit) {
        taken[static_cast<std::int64_t>(k)] = row[k];
        row[k] = 0.0;
        more = true;
      }
    }
  }
  return taken;
}

struct Weight {
  Weight(std::int64_t depth, std::int64_t columns)
      : values(static_cast<std::size_t>(depth * columns)),
        packed(static_cast<std::size_t>(int8_packed_size(depth, columns))) {
    Rng rng(4);
    for (std::int8_t& value : values) {
      value = static_cast<std::int8_t>(static_cast<int>(rng.next_below(255)) - 127);
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      scale.push_back(0.01F * static_cast<float>(rng.next_normal()));
    }
    pack_int8(values.data(), columns, 1, depth, columns, packed.data());
    view = {depth, columns, packed.data(), scale.data()};
  }

  std::vector<std::int8_t> values;  // [depth, columns]
  std::vector<std::int8_t> packed;
  std::vector<float> scale;
  Int8Packed view;
};

class Int8Outliers : public ::testing::TestWithParam<std::tuple<Case, Kind, bool>> {
 protected:
  void SetUp() override {
    if (std::get<2>(GetParam())) {
      Rng rng(5);
      for (std::int64_t k = 0; k < case_.depth; ++k) {
        factors_.push_back(0.5F + static_cast<float>(rng.next_double()));
      }
    }
  }

  const float* factors() const { return factors_.empty() ? nullptr : factors_.data(); }
  std::vector<double> scaled_row(std::int64_t i) const {
    std::vector<double> row;
    for (std::int64_t k = 0; k < case_.depth; ++k) {
      const double factor = factors_.empty() ? 1.0 : factors_[static_cast<std::size_t>(k)];
      row.push_back(factor * x_[static_cast<std::size_t>(i * case_.depth + k)]);
    }
    return row;
  }

  Case case_ = std::get<0>(GetParam());
  OutlierRule rule_{std::get<1>(GetParam()), 6.0F};
  std::vector<float> factors_;
  std::vector<float> x_ = spiky_floats(case_.rows, case_.depth);
};

TEST_P(Int8Outliers, AreTakenByTheRuleAndTheRestIsQuantised) {
  QuantizedRows q(case_.rows, case_.depth);
  const Outliers got = quantize_rows_without_outliers({}, x_.data(), factors(), rule_, q);
  ASSERT_EQ(got.offsets.size(), static_cast<std::size_t>(case_.rows) + 1);
  std::size_t seen = 0;
  for (std::int64_t i = 0; i < case_.rows; ++i) {
    const std::vector<double> row = scaled_row(i);
    const auto want = outliers_of(row, rule_);
    ASSERT_EQ(got.offsets[i + 1] - got.offsets[i], static_cast<std::int64_t>(want.size()));
    for (const auto& [column, value] : want) {
      ASSERT_EQ(got.columns[seen], column);
      ASSERT_FLOAT_EQ(got.values[seen], static_cast<float>(value));
      ++seen;
    }
    double largest = 0;
    for (std::int64_t k = 0; k < case_.depth; ++k) {
      largest = want.count(k) == 0 ? std::max(largest, std::fabs(row[k])) : largest;
    }
    ASSERT_FLOAT_EQ(q.scale()[i], static_cast<float>(largest / 127.0));
    for (std::int64_t k = 0; k < case_.depth; ++k) {
      const double rest = want.count(k) == 0 ? row[k] : 0.0;
      ASSERT_LE(std::fabs(q.value(i, k) * (largest / 127.0) - rest), 0.501 * largest / 127.0);
    }
  }
  EXPECT_EQ(got.values.size(), seen);
}

TEST_P(Int8Outliers, ProductsEqualTheFormulaInDouble) {
  const auto [rows, depth, columns] = case_;
  const Weight w(depth, columns);
  const Weight turned(columns, depth);
  QuantizedRows q(rows, depth);
  const Outliers outliers = quantize_rows_without_outliers({}, x_.data(), factors(), rule_, q);
  std::vector<float> c(static_cast<std::size_t>(rows * columns), 2.0F);
  std::vector<float> t(c);
  add_outlier_products({}, outliers, w.view, c.data());
  add_outlier_products_transposed({}, outliers, turned.view, t.data());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      double want = 2.0;
      double want_turned = 2.0;
      double size = 1.0;
      for (std::int64_t e = outliers.offsets[i]; e < outliers.offsets[i + 1]; ++e) {
        const std::int64_t k = outliers.columns[e];
        want += double{outliers.values[e]} * w.values[k * columns + j] * w.scale[j];
        want_turned += double{outliers.values[e]} * turned.values[j * depth + k];
        size += 127.0 * std::fabs(outliers.values[e]);
      }
      ASSERT_NEAR(c[i * columns + j], want, 1e-6 * size);
      ASSERT_NEAR(t[i * columns + j], want_turned, 1e-6 * size);
    }
  }
}

// Also over the threads that share out rows and panels.
TEST_P(Int8Outliers, ARowDoesNotDependOnTheOthers) {
  const auto [rows, depth, columns] = case_;
  const Weight w(depth, columns);
  QuantizedRows all(rows, depth);
  set_thread_count(3);
  const Outliers together = quantize_rows_without_outliers({}, x_.data(), factors(), rule_, all);
  std::vector<float> c(static_cast<std::size_t>(rows * columns), 1.0F);
  add_outlier_products({}, together, w.view, c.data());
  set_thread_count(1);
  QuantizedRows one(1, depth);
  const Outliers alone =
      quantize_rows_without_outliers({}, x_.data() + (rows - 1) * depth, factors(), rule_, one);
  std::vector<float> row(static_cast<std::size_t>(columns), 1.0F);
  add_outlier_products({}, alone, w.view, row.data());
  EXPECT_EQ(one.scale()[0], all.scale()[rows - 1]);
  EXPECT_EQ(row, std::vector<float>(c.end() - columns, c.end()));
}

INSTANTIATE_TEST_SUITE_P(All, Int8Outliers,
                         ::testing::Combine(::testing::Values(Case{1, 5, 3}, Case{7, 64, 16},
                                                              Case{18, 70, 33}, Case{40, 200, 50},
                                                              Case{25, 149, 92}, Case{9, 330, 140}),
                                            ::testing::Values(Kind::kMagnitude, Kind::kTimesRms),
                                            ::testing::Bool()));

TEST(Int8OutlierRules, TakeAValueThatEqualsTheMagnitude) {
  const std::vector<float> x = {1.0F, -6.0F, 5.9F, 6.1F};
  QuantizedRows q(1, 4);
  const Outliers got =
      quantize_rows_without_outliers({}, x.data(), nullptr, {Kind::kMagnitude, 6.0F}, q);
  EXPECT_EQ(got.columns, (std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(got.values, (std::vector<float>{-6.0F, 6.1F}));
  EXPECT_FLOAT_EQ(q.scale()[0], 5.9F / 127.0F);
}

TEST(Int8OutlierRules, TakeNothingFromRowsOfZerosOrOfEqualSizes) {
  std::vector<float> x(200, 0.0F);
  std::fill(x.begin() + 100, x.end(), -8.0F);
  QuantizedRows q(2, 100);
  const Outliers got =
      quantize_rows_without_outliers({}, x.data(), nullptr, {Kind::kTimesRms, 6.0F}, q);
  EXPECT_TRUE(got.values.empty());
  EXPECT_EQ(q.scale()[0], 0.0F);
  EXPECT_FLOAT_EQ(q.scale()[1], 8.0F / 127.0F);
}

TEST(Int8OutlierRules, ADamagedRowStaysDamagedAsAWhole) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const Kind kind : {Kind::kMagnitude, Kind::kTimesRms}) {
      std::vector<float> x = spiky_floats(3, 100);
      x[150] = bad;
      QuantizedRows q(3, 100);
      const Outliers got = quantize_rows_without_outliers({}, x.data(), nullptr, {kind, 6.0F}, q);
      EXPECT_EQ(got.offsets[2], got.offsets[1]);
      EXPECT_TRUE(std::isnan(q.scale()[1]));
      EXPECT_FALSE(std::isnan(q.scale()[0]) || std::isnan(q.scale()[2]));
    }
  }
}

}  // namespace
}  // namespace rallrec::kernels
