#pragma once

#include <cmath>
#include <memory>
#include <vector>

#include "core/rng.h"
#include "kernels/attention.h"
#include "tests/support/device/test_device.h"

namespace rallrec::kernels {

using rallrec::testing::DeviceArray;
using rallrec::testing::TestDevice;
using Values = std::vector<float>;

inline Values random_values(std::int64_t count, std::uint64_t stream, double scale = 1.0) {
  Values values(static_cast<std::size_t>(count));
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
  Values q, k, v, prefix_k, prefix_v;

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

  // The operands, and the positions of sequences, in a device's memory.
  struct OnDevice {
    DeviceArray<float> q, k, v, prefix_k, prefix_v;
    std::vector<std::unique_ptr<DeviceArray<std::int64_t>>> positions;
    std::vector<AttentionSequence> sequences;
    AttentionPrefix prefix;

    OnDevice(TestDevice& device, const Problem& p)
        : q(device, p.q),
          k(device, p.k),
          v(device, p.v),
          prefix_k(device, p.prefix_k),
          prefix_v(device, p.prefix_v),
          sequences(p.sequences),
          prefix{prefix_k.get(), prefix_v.get(), p.prefix_rows} {
      for (AttentionSequence& s : sequences) {
        if (s.positions != nullptr) {
          const std::vector<std::int64_t> host(s.positions, s.positions + s.queries);
          positions.push_back(std::make_unique<DeviceArray<std::int64_t>>(device, host));
          s.positions = positions.back()->get();
        }
      }
    }
  };

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

  void run(TestDevice& device, Values& o, Values& lse) const {
    const OnDevice x(device, *this);
    const DeviceArray<float> result(device, Values(q.size(), -7.0F));
    const DeviceArray<float> sums(device, Values(q.size() / std::size_t(shape.head_dim), -7.0F));
    attention(device.queue(), shape, x.sequences, x.prefix, x.q.get(), x.k.get(), x.v.get(),
              result.get(), sums.get());
    o = result.host();
    lse = sums.host();
  }

  void check_forward(TestDevice& device) const {
    Values o;
    Values lse;
    run(device, o, lse);
    for (const AttentionSequence& s : sequences) {
      for (std::int64_t i = 0; i < s.queries; ++i) {
        for (std::int64_t h = 0; h < shape.heads; ++h) {
          check_row(s, i, h, o, lse);
        }
      }
    }
  }

  void check_row(const AttentionSequence& s, std::int64_t i, std::int64_t h, const Values& o,
                 const Values& lse) const {
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

inline std::vector<AttentionSequence> packed(const std::vector<std::int64_t>& lengths) {
  std::vector<AttentionSequence> sequences;
  std::int64_t begin = 0;
  for (std::int64_t length : lengths) {
    sequences.push_back({begin, length, begin, length});
    begin += length;
  }
  return sequences;
}

struct Gradients {
  Values dq, dk, dv;
};

inline Gradients gradients_of(TestDevice& device, const Problem& p, const Values& host_d_o) {
  const Problem::OnDevice x(device, p);
  const DeviceArray<float> o(device, p.q.size());
  const DeviceArray<float> lse(device, p.q.size() / std::size_t(p.shape.head_dim));
  const DeviceArray<float> d_o(device, host_d_o);
  const DeviceArray<float> dq(device, Values(p.q.size(), -7.0F));
  const DeviceArray<float> dk(device, Values(p.k.size(), -7.0F));
  const DeviceArray<float> dv(device, Values(p.v.size(), -7.0F));
  attention(device.queue(), p.shape, x.sequences, {}, x.q.get(), x.k.get(), x.v.get(), o.get(),
            lse.get());
  attention_backward(device.queue(), p.shape, x.sequences, x.q.get(), x.k.get(), x.v.get(), o.get(),
                     lse.get(), d_o.get(), {dq.get(), dk.get(), dv.get()});
  return {dq.host(), dk.host(), dv.host()};
}

inline void check_backward(TestDevice& device, const Problem& problem) {
  const Values d_o = random_values(std::int64_t(problem.q.size()), 9);
  const auto [dq, dk, dv] = gradients_of(device, problem, d_o);
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

}  // namespace rallrec::kernels
