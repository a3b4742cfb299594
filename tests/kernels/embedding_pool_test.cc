#include "kernels/embedding_pool.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/parallel_for.h"
#include "tests/support/bfloat16.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::vector<std::int64_t> lengths;
  std::int64_t columns;
};

struct Variant {
  PoolRule rule;
  bool norm;
  bool bf16;
};

using EmbeddingPool = testing::DeviceTest<Shape>;

constexpr float kEps = 1e-5F;

std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> offsets = {0};
  for (const std::int64_t length : lengths) {
    offsets.push_back(offsets.back() + length);
  }
  return offsets;
}

std::vector<double> prepared(const Variant& variant, const float* x,
                             const std::vector<float>& weight) {
  std::vector<double> row(x, x + weight.size());
  if (variant.norm) {
    double squares = 0.0;
    for (const double value : row) {
      squares += value * value;
    }
    const double r = 1.0 / std::sqrt(squares / static_cast<double>(row.size()) + kEps);
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] *= weight[c] * r;
    }
  }
  return row;
}

std::vector<double> formula(const Variant& variant, const std::vector<std::int64_t>& offsets,
                            const std::vector<float>& x, const std::vector<float>& weight) {
  std::vector<double> all;
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    const bool mean = variant.rule.pooling == Pooling::kMean;
    const std::int64_t begin = mean ? offsets[s] : offsets[s + 1] - 1;
    std::vector<double> y(weight.size(), 0.0);
    for (std::int64_t t = begin; t < offsets[s + 1]; ++t) {
      const auto row =
          prepared(variant, x.data() + t * static_cast<std::int64_t>(weight.size()), weight);
      for (std::size_t c = 0; c < y.size(); ++c) {
        y[c] += row[c] / static_cast<double>(offsets[s + 1] - begin);
      }
    }
    double squares = 0.0;
    for (const double value : y) {
      squares += value * value;
    }
    for (const double value : y) {
      all.push_back(variant.rule.unit_length ? value / std::sqrt(squares) : value);
    }
  }
  return all;
}

TEST_P(EmbeddingPool, EveryVariantFollowsTheFormula) {
  const auto& [lengths, columns] = shape();
  const auto host_offsets = offsets_of(lengths);
  const auto bits = testing::random_bfloat16(host_offsets.back() * columns, 13);
  const auto host_x = testing::widened(bits);
  const auto host_weight = testing::random_floats(columns, 14);
  const auto sequences = static_cast<std::int64_t>(lengths.size());
  const auto offsets = on_device(host_offsets);
  const auto halves = on_device(bits);
  const auto x = on_device(host_x);
  const auto weight = on_device(host_weight);
  set_thread_count(2);
  for (int i = 0; i < 16; ++i) {
    const Variant variant{
        {(i & 1) != 0 ? Pooling::kLast : Pooling::kMean, (i & 2) != 0}, (i & 4) != 0, (i & 8) != 0};
    const auto y = empty<float>(sequences * columns);
    PoolInput input{variant.bf16 ? TableType::kBfloat16 : TableType::kFloat32,
                    variant.bf16 ? static_cast<const void*>(halves.get()) : x.get(),
                    variant.norm ? weight.get() : nullptr, kEps};
    embedding_pool(queue(), variant.rule, sequences, offsets.get(), columns, input, y.get());
    const auto want = formula(variant, host_offsets, host_x, host_weight);
    const auto got = y.host();
    for (std::size_t k = 0; k < want.size(); ++k) {
      ASSERT_NEAR(got[k], want[k], 2e-6 * (1.0 + std::fabs(want[k]))) << i << " " << k;
    }
  }
  set_thread_count(1);
}

TEST_P(EmbeddingPool, AVectorOfZerosStays) {
  const auto columns = shape().columns;
  const auto x = on_device(std::vector<float>(static_cast<std::size_t>(columns), 0.0F));
  const auto offsets = on_device(std::vector<std::int64_t>{0, 1});
  const auto y = empty<float>(columns);
  embedding_pool(queue(), {Pooling::kMean, true}, 1, offsets.get(), columns,
                 {TableType::kFloat32, x.get()}, y.get());
  EXPECT_EQ(y.host(), std::vector<float>(static_cast<std::size_t>(columns), 0.0F));
}

TEST_P(EmbeddingPool, AnEmptySequenceIsNotTakenForAVector) {
  const auto columns = shape().columns;
  const auto x = on_device(std::vector<float>(static_cast<std::size_t>(columns), 1.0F));
  const auto offsets = on_device(std::vector<std::int64_t>{0, 0});
  const auto y = empty<float>(columns);
  const auto pool = [&] {
    embedding_pool(queue(), {}, 1, offsets.get(), columns, {TableType::kFloat32, x.get()}, y.get());
  };
  if (queue().device == Device::kCpu) {
    EXPECT_THROW(pool(), Error);
  } else {
    pool();
    EXPECT_TRUE(std::isnan(y.host()[0]));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, EmbeddingPool,
                         testing::on_every_device(Shape{{}, 3}, Shape{{1}, 1}, Shape{{3, 1}, 2},
                                                  Shape{{5, 33, 1}, 7}, Shape{{40, 2}, 64},
                                                  Shape{{70, 31}, 576}, Shape{{3, 1}, 4096}),
                         testing::device_and_number<EmbeddingPool::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
