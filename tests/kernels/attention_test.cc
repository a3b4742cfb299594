#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "core/error.h"
#include "core/parallel_for.h"
#include "core/rng.h"

namespace rallrec::kernels {
namespace {

std::vector<float> random_values(std::int64_t count, std::uint64_t stream, double scale = 1.0) {
  std::vector<float> values(static_cast<std::size_t>(count));
  Rng rng(21, stream);
  for (float& value : values) {
    value = static_cast<float>(scale * rng.next_normal());
  }
  return values;
}

// Random operands and a double-precision attention by the definition, one query at a time.
struct Problem {
  AttentionShape shape;
  std::vector<AttentionSequence> sequences;
  std::int64_t prefix_rows;
  std::vector<float> q, k, v, prefix_k, prefix_v;

  Problem(AttentionShape s, std::vector<AttentionSequence> list, std::int64_t queries,
          std::int64_t keys, std::int64_t prefix)
      : shape(s),
        sequences(std::move(list)),
        prefix_rows(prefix),
        q(random_values(queries * s.heads * s.head_dim, 1, 2.0)),
        k(random_values(keys * s.kv_heads * s.head_dim, 2)),
        v(random_values(keys * s.kv_heads * s.head_dim, 3)),
        prefix_k(random_values(prefix * s.kv_heads * s.head_dim, 4)),
        prefix_v(random_values(prefix * s.kv_heads * s.head_dim, 5)) {}

  // Key or value row `j` as query head h sees it, prefix rows first.
  const float* row(const AttentionSequence& s, std::int64_t j, std::int64_t h, bool value) const {
    const std::int64_t head = h / (shape.heads / shape.kv_heads);
    const bool shared = j < prefix_rows;
    const auto& rows = shared ? (value ? prefix_v : prefix_k) : (value ? v : k);
    const std::int64_t r = shared ? j : s.key_begin + j - prefix_rows;
    return rows.data() + (r * shape.kv_heads + head) * shape.head_dim;
  }

  const float* query(const AttentionSequence& s, std::int64_t i, std::int64_t h) const {
    return q.data() + ((s.query_begin + i) * shape.heads + h) * shape.head_dim;
  }

  // Softmax weights of query i of head h, and the log-sum-exp.
  std::vector<double> weights(const AttentionSequence& s, std::int64_t i, std::int64_t h,
                              double& lse) const {
    const std::int64_t seen =
        s.positions == nullptr ? prefix_rows + s.keys - s.queries + i + 1 : s.positions[i] + 1;
    std::vector<double> p;
    double total = 0.0;
    for (std::int64_t j = 0; j < seen; ++j) {
      double score = 0.0;
      for (std::int64_t c = 0; c < shape.head_dim; ++c) {
        score += double(query(s, i, h)[c]) * row(s, j, h, false)[c];
      }
      p.push_back(std::exp(score / std::sqrt(double(shape.head_dim))));
      total += p.back();
    }
    for (double& x : p) {
      x /= total;
    }
    lse = std::log(total);
    return p;
  }

  void run(std::vector<float>& o, std::vector<float>& lse) const {
    o.assign(q.size(), -7.0F);
    lse.assign(q.size() / static_cast<std::size_t>(shape.head_dim), -7.0F);
    attention({}, shape, sequences, {prefix_k.data(), prefix_v.data(), prefix_rows}, q.data(),
              k.data(), v.data(), o.data(), lse.data());
  }

  void check_forward() const {
    std::vector<float> o;
    std::vector<float> lse;
    run(o, lse);
    for (const AttentionSequence& s : sequences) {
      for (std::int64_t i = 0; i < s.queries; ++i) {
        for (std::int64_t h = 0; h < shape.heads; ++h) {
          check_row(s, i, h, o, lse);
        }
      }
    }
  }

  void check_row(const AttentionSequence& s, std::int64_t i, std::int64_t h,
                 const std::vector<float>& o, const std::vector<float>& lse) const {
    double expected_lse;
    const std::vector<double> p = weights(s, i, h, expected_lse);
    const std::int64_t at = (s.query_begin + i) * shape.heads + h;
    EXPECT_NEAR(lse[static_cast<std::size_t>(at)], expected_lse, 1e-5);
    for (std::int64_t c = 0; c < shape.head_dim; ++c) {
      double sum = 0.0;
      for (std::size_t j = 0; j < p.size(); ++j) {
        sum += p[j] * row(s, std::int64_t(j), h, true)[c];
      }
      ASSERT_NEAR(o[static_cast<std::size_t>(at * shape.head_dim + c)], sum, 1e-5);
    }
  }
};

std::vector<AttentionSequence> packed(const std::vector<std::int64_t>& lengths) {
  std::vector<AttentionSequence> sequences;
  std::int64_t begin = 0;
  for (std::int64_t length : lengths) {
    sequences.push_back({begin, length, begin, length});
    begin += length;
  }
  return sequences;
}

// The queries of a sequence behind the prefix that its first rows are.
TEST(Attention, APrefixChangesNoBit) {
  for (const AttentionShape shape : {AttentionShape{6, 2, 4}, {4, 4, 24}, {9, 3, 64}}) {
    for (const std::int64_t prefix : {2, 5, 16, 49}) {
      for (const std::int64_t own : {2, 3, 17, 100}) {
        const std::int64_t rows = prefix + own;
        const Problem whole(shape, packed({rows}), rows, rows, 0);
        std::vector<float> want;
        std::vector<float> want_lse;
        whole.run(want, want_lse);
        Problem behind(shape, {{prefix, own, prefix, own}}, rows, rows, prefix);
        behind.prefix_k = whole.k;
        behind.prefix_v = whole.v;
        std::vector<float> got;
        std::vector<float> lse;
        behind.run(got, lse);
        const std::int64_t skipped = prefix * shape.heads;
        EXPECT_TRUE(std::equal(got.begin() + skipped * shape.head_dim, got.end(),
                               want.begin() + skipped * shape.head_dim))
            << shape.head_dim << ": " << prefix << " and " << own;
        EXPECT_TRUE(std::equal(lse.begin() + skipped, lse.end(), want_lse.begin() + skipped));
      }
    }
  }
}

const std::vector<std::int64_t> kLengths = {1, 0, 2, 47, 48, 49, 100, 7};
constexpr std::int64_t kRows = 254;

// A few queries of each sequence of `kLengths`: none, one, its last, many (more than a block of
// rows), and the same one twice. With a prefix, one of them stands inside it.
struct ChosenQueries {
  std::vector<std::vector<std::int64_t>> positions = {{0},  {},         {0, 1}, {},
                                                      {20}, {3, 3, 48}, {},     {2}};
  std::vector<AttentionSequence> sequences = packed(kLengths);
  std::int64_t rows = 0;

  explicit ChosenQueries(std::int64_t prefix) {
    for (std::int64_t i = 0; i < 60; ++i) {
      positions[6].push_back(i + (i > 30 ? 39 : 7));
    }
    for (std::size_t s = 0; s < sequences.size(); ++s) {
      for (std::int64_t& position : positions[s]) {
        position += prefix;
      }
      sequences[s].query_begin = rows;
      sequences[s].queries = std::int64_t(positions[s].size());
      sequences[s].positions = positions[s].data();
      rows += sequences[s].queries;
    }
    positions[2][0] = std::max(prefix - 1, std::int64_t{0});
  }
};

class Attention
    : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t, std::int64_t>> {
 protected:
  AttentionShape shape() const {
    return {std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam())};
  }
};

TEST_P(Attention, PackedSequencesEqualTheDefinition) {
  for (int threads : {1, 3}) {
    set_thread_count(threads);
    Problem(shape(), packed(kLengths), kRows, kRows, 0).check_forward();
  }
  set_thread_count(1);
}

TEST_P(Attention, CachedKeysAndSharedPrefixEqualTheDefinition) {
  // Queries at the end of longer key ranges that lie in another order than the queries.
  const std::vector<AttentionSequence> sequences = {
      {0, 1, 60, 30}, {1, 5, 0, 5}, {6, 1, 10, 1}, {7, 50, 90, 64}};
  for (std::int64_t prefix : {0, 1, 37}) {
    Problem(shape(), sequences, 57, 160, prefix).check_forward();
  }
}

void check_backward(const Problem& problem) {
  const std::vector<float> d_o = random_values(std::int64_t(problem.q.size()), 9);
  std::vector<float> o;
  std::vector<float> lse;
  problem.run(o, lse);
  std::vector<float> dq(problem.q.size(), -7.0F);
  std::vector<float> dk(problem.k.size(), -7.0F);
  std::vector<float> dv(problem.v.size(), -7.0F);
  attention_backward({}, problem.shape, problem.sequences, problem.q.data(), problem.k.data(),
                     problem.v.data(), o.data(), lse.data(), d_o.data(),
                     {dq.data(), dk.data(), dv.data()});
  // By the chain rule in double: dv = Σ p d_o, ds = p (d_o·v - Σ p d_o·v) / sqrt(d).
  std::vector<double> want_q(dq.size());
  std::vector<double> want_k(dk.size());
  std::vector<double> want_v(dv.size());
  const std::int64_t d = problem.shape.head_dim;
  for (const AttentionSequence& s : problem.sequences) {
    for (std::int64_t i = 0; i < s.queries; ++i) {
      for (std::int64_t h = 0; h < problem.shape.heads; ++h) {
        double ignored;
        const std::vector<double> p = problem.weights(s, i, h, ignored);
        const std::int64_t at = ((s.query_begin + i) * problem.shape.heads + h) * d;
        std::vector<double> dp(p.size());
        double mean = 0.0;
        for (std::size_t j = 0; j < p.size(); ++j) {
          for (std::int64_t c = 0; c < d; ++c) {
            dp[j] += double(d_o[std::size_t(at + c)]) * problem.row(s, std::int64_t(j), h, true)[c];
          }
          mean += p[j] * dp[j];
        }
        for (std::size_t j = 0; j < p.size(); ++j) {
          const double ds = p[j] * (dp[j] - mean) / std::sqrt(double(d));
          const auto kv = std::size_t(problem.row(s, std::int64_t(j), h, false) - problem.k.data());
          for (std::int64_t c = 0; c < d; ++c) {
            want_q[std::size_t(at + c)] += ds * problem.row(s, std::int64_t(j), h, false)[c];
            want_k[kv + std::size_t(c)] += ds * problem.query(s, i, h)[c];
            want_v[kv + std::size_t(c)] += p[j] * d_o[std::size_t(at + c)];
          }
        }
      }
    }
  }
  for (std::size_t i = 0; i < dq.size(); ++i) {
    ASSERT_NEAR(dq[i], want_q[i], 2e-5);
  }
  for (std::size_t i = 0; i < dk.size(); ++i) {
    ASSERT_NEAR(dk[i], want_k[i], 5e-5);
    ASSERT_NEAR(dv[i], want_v[i], 5e-5);
  }
}

TEST_P(Attention, BackwardEqualsDifferencesOfTheDefinition) {
  check_backward(Problem(shape(), packed(kLengths), kRows, kRows, 0));
}

TEST_P(Attention, ChosenQueriesEqualTheDefinition) {
  const ChosenQueries chosen(0);
  const Problem problem(shape(), chosen.sequences, chosen.rows, kRows, 0);
  problem.check_forward();
  check_backward(problem);
  const ChosenQueries behind(19);
  Problem(shape(), behind.sequences, behind.rows, kRows, 19).check_forward();
}

INSTANTIATE_TEST_SUITE_P(Shapes, Attention,
                         testing::Values(std::make_tuple(9, 3, 64), std::make_tuple(4, 4, 16),
                                         std::make_tuple(2, 1, 6), std::make_tuple(7, 1, 24),
                                         std::make_tuple(1, 1, 2)));

TEST(AttentionBits, DoNotDependOnNeighbours) {
  const AttentionShape shape{6, 2, 8};
  const Problem all(shape, packed({20, 33, 5}), 58, 58, 0);
  std::vector<float> together;
  std::vector<float> alone;
  std::vector<float> lse;
  all.run(together, lse);
  Problem second = all;
  second.sequences = {all.sequences[1]};
  second.run(alone, lse);
  for (std::size_t i = 20 * 48; i < 53 * 48; ++i) {
    ASSERT_EQ(together[i], alone[i]);
  }
}

TEST(AttentionErrors, BadShapesAndDevicesAreRefused) {
  EXPECT_THROW(attention({}, {3, 2, 4}, {}, {}, nullptr, nullptr, nullptr, nullptr, nullptr),
               Error);
  EXPECT_THROW(
      attention({}, {2, 2, 4}, {{0, 3, 0, 2}}, {}, nullptr, nullptr, nullptr, nullptr, nullptr),
      Error);
  const std::int64_t descending[] = {1, 0};
  const std::int64_t behind[] = {0, 2};
  for (const std::int64_t* positions : {descending, behind}) {
    EXPECT_THROW(attention({}, {2, 2, 4}, {{0, 2, 0, 2, positions}}, {}, nullptr, nullptr, nullptr,
                           nullptr, nullptr),
                 Error);
  }
  EXPECT_THROW(attention({Device::kCuda, nullptr}, {2, 2, 4}, {}, {}, nullptr, nullptr, nullptr,
                         nullptr, nullptr),
               Error);
}

}  // namespace
}  // namespace rallrec::kernels
