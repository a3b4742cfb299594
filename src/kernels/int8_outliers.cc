#include "kernels/int8_outliers.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/int8_matmul_cpu.h"
#include "kernels/no_cuda.h"
#include "kernels/simd.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerBlock = 16;
constexpr std::int64_t kPanelsPerThread = 4;
// Values of a row that are looked through at once; the working copy of a row is filled up to them
// with zeros, which no measure below sees.
constexpr std::int64_t kScanned = 64;
constexpr std::int64_t kWide = kInt8PanelColumns;

// Of the values of a row whose magnitude is below a limit.
struct Extent {
  float largest = 0.0F;
  float square_sum = 0.0F;
  float poison = 0.0F;  // NaN where any value of the row is not finite, else 0
};

// Values and their columns, row after row.
struct Entries {
  std::vector<std::int32_t> columns;
  std::vector<float> values;
};

// Two chains of each sum, which do not wait for one another.
template <typename Lanes, bool kFindPoison>
[[gnu::always_inline]] inline void measure_below(const float* row, std::int64_t padded, float limit,
                                                 Extent& extent) {
  constexpr int kChains = 2;
  Lanes most[kChains] = {};
  Lanes squares[kChains] = {};
  Lanes poison[kChains] = {};
  for (std::int64_t k = 0; k < padded; k += kChains * kLanesOf<Lanes>) {
#pragma GCC unroll 2
    for (int chain = 0; chain < kChains; ++chain) {
      Lanes value;
      load_lanes(row + k + chain * kLanesOf<Lanes>, value);
      if (kFindPoison) {
        poison[chain] += value - value;
      }
      magnitude(value);
      value = value >= limit ? Lanes{} : value;
      most[chain] = value > most[chain] ? value : most[chain];
      squares[chain] += value * value;
    }
  }
  extent.largest = largest_lane(most[0] > most[1] ? most[0] : most[1]);
  extent.square_sum = sum_lanes(squares[0] + squares[1]);
  extent.poison = sum_lanes(poison[0] + poison[1]);
}

// The magnitude from which values of the row are outliers, and the extent of those below it. It
// falls from round to round, since all that is left lies below it.
template <typename Lanes>
[[gnu::always_inline]] inline float outlier_limit(const OutlierRule& rule, const float* row,
                                                  std::int64_t padded, std::int64_t depth,
                                                  Extent& extent) {
  float limit = std::numeric_limits<float>::infinity();
  if (rule.kind == OutlierRule::Kind::kMagnitude) {
    limit = rule.limit;
  }
  measure_below<Lanes, true>(row, padded, limit, extent);
  if (std::isnan(extent.poison)) {
    extent.largest = extent.poison;
    return std::numeric_limits<float>::infinity();
  }
  if (rule.kind == OutlierRule::Kind::kMagnitude) {
    return limit;
  }
  for (;;) {
    const float next = rule.limit * std::sqrt(extent.square_sum / static_cast<float>(depth));
    if (next == 0.0F || extent.largest < next) {
      return limit;
    }
    limit = next;
    measure_below<Lanes, false>(row, padded, limit, extent);
  }
}

// The lanes of which |x| >= limit, one bit each.
template <typename Lanes>
[[gnu::always_inline]] inline unsigned lanes_from(const Lanes& x, float limit) {
  Lanes bits = Lanes{} + 1.0F;
#pragma GCC unroll 16
  for (int lane = 0; lane < kLanesOf<Lanes>; ++lane) {
    bits[lane] = static_cast<float>(1U << lane);
  }
  Lanes size = x;
  magnitude(size);
  return static_cast<unsigned>(sum_lanes(size >= limit ? bits : Lanes{}));
}

// Whether any of the kScanned values has a magnitude of at least limit.
template <typename Lanes>
[[gnu::always_inline]] inline bool any_from(const float* x, float limit) {
  Lanes most{};
  for (std::int64_t k = 0; k < kScanned; k += kLanesOf<Lanes>) {
    Lanes value;
    load_lanes(x + k, value);
    magnitude(value);
    most = value > most ? value : most;
  }
  return lanes_from(most, limit) != 0;
}

// Moves the values from `limit` on out of the row.
template <typename Lanes>
[[gnu::always_inline]] inline void take(float limit, std::int64_t padded, float* row,
                                        Entries& entries) {
  for (std::int64_t first = 0; first < padded; first += kScanned) {
    if (!any_from<Lanes>(row + first, limit)) {
      continue;
    }
    for (std::int64_t k = first; k < first + kScanned; k += kLanesOf<Lanes>) {
      Lanes value;
      load_lanes(row + k, value);
      for (unsigned left = lanes_from(value, limit); left != 0; left &= left - 1) {
        const std::int64_t column = k + __builtin_ctz(left);
        entries.columns.push_back(static_cast<std::int32_t>(column));
        entries.values.push_back(row[column]);
        row[column] = 0.0F;
      }
    }
  }
}

constexpr std::int64_t padded_row(std::int64_t depth) {
  return (depth + kScanned - 1) / kScanned * kScanned;
}

struct RowsToTake {
  const float* x;
  const float* column_scale;
  const OutlierRule* rule;
  std::int64_t begin;
  std::int64_t end;
  float* row;  // memory of one padded row, zero beyond depth
};

// The rows without outliers go into q, the outliers into `entries`, their number per row into
// counts[row].
template <typename Lanes>
struct TakeRows {
  [[gnu::always_inline]] static void run(const RowsToTake* rows, QuantizedRows* q, Entries* entries,
                                         std::int64_t* counts) {
    const std::int64_t depth = q->depth();
    const std::int64_t padded = padded_row(depth);
    for (std::int64_t i = rows->begin; i < rows->end; ++i) {
      const float* x = rows->x + i * depth;
      if (rows->column_scale == nullptr) {
        std::copy_n(x, depth, rows->row);
      } else {
        for (std::int64_t k = 0; k < depth; ++k) {
          rows->row[k] = x[k] * rows->column_scale[k];
        }
      }
      const std::size_t before = entries->values.size();
      Extent extent;
      const float limit = outlier_limit<Lanes>(*rows->rule, rows->row, padded, depth, extent);
      if (std::isfinite(limit)) {
        take<Lanes>(limit, padded, rows->row, *entries);
      }
      counts[i] = static_cast<std::int64_t>(entries->values.size() - before);
      detail::round_row(rows->row, extent.largest, i, *q);
    }
  }
};

// Panels of B that lie `stride` bytes apart, and the part of C that belongs to them.
struct PanelSpan {
  const std::int8_t* packed;
  std::int64_t stride;
  std::int64_t panels;
  const float* scale;    // null = 1
  std::int64_t columns;  // the last panel may have fewer than 16
  float* c;
  std::int64_t c_stride;
};

// C += scale · the outliers of all rows times the panels. The sums of a row are in registers.
template <typename Lanes>
struct PanelProducts {
  // As many as keep the loads of a few rows' entries worth while.
  static constexpr int kPanelsAtOnce = kLanesOf<Lanes> / 4;
  static constexpr int kParts = kWide / kLanesOf<Lanes>;

  [[gnu::always_inline]] static void run(const Outliers* outliers, PanelSpan span) {
    for (; span.panels >= kPanelsAtOnce; advance(span, kPanelsAtOnce)) {
      add_panels<kPanelsAtOnce>(*outliers, span);
    }
    for (; span.panels > 0; advance(span, 1)) {
      add_panels<1>(*outliers, span);
    }
  }

  [[gnu::always_inline]] static void advance(PanelSpan& span, std::int64_t panels) {
    span.packed += panels * span.stride;
    span.scale += span.scale == nullptr ? 0 : panels * kWide;
    span.c += panels * kWide;
    span.columns -= panels * kWide;
    span.panels -= panels;
  }

  template <int kPanels>
  [[gnu::always_inline]] static void add_panels(const Outliers& outliers, const PanelSpan& span) {
    constexpr int kSums = kPanels * kParts;
    const auto rows = static_cast<std::int64_t>(outliers.offsets.size()) - 1;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t begin = outliers.offsets[i];
      const std::int64_t end = outliers.offsets[i + 1];
      if (begin == end) {
        continue;
      }
      Lanes sums[kSums] = {};
      for (std::int64_t e = begin; e < end; ++e) {
        add_row(span.packed, span.stride, outliers.columns[e], outliers.values[e], sums);
      }
#pragma GCC unroll 4
      for (std::int64_t part = 0; part < kSums; ++part) {
        add_part(span, part * kLanesOf<Lanes>, span.c + i * span.c_stride, sums[part]);
      }
    }
  }

  // A pair of depths of a column is a number of 16 bits, the even one in its low byte.
  template <int kSums>
  [[gnu::always_inline]] static void add_row(const std::int8_t* packed, std::int64_t stride,
                                             std::int64_t k, float value, Lanes (&sums)[kSums]) {
    using Pairs [[gnu::vector_size(sizeof(Lanes) / 2)]] = std::int16_t;
    const int up = k % 2 == 0 ? 8 : 0;
    const std::int8_t* row = packed + k / 2 * 2 * kWide;
#pragma GCC unroll 4
    for (std::int64_t part = 0; part < kSums; ++part) {
      Pairs pairs;
      std::memcpy(&pairs, row + part / kParts * stride + part % kParts * sizeof(pairs),
                  sizeof(pairs));
      pairs = (pairs << up) >> 8;
      sums[part] += value * __builtin_convertvector(pairs, Lanes);
    }
  }

  [[gnu::always_inline]] static void add_part(const PanelSpan& span, std::int64_t column, float* c,
                                              const Lanes& sums) {
    const std::int64_t count = span.columns - column;
    Lanes scale = Lanes{} + 1.0F;
    Lanes there;
    if (count <= 0) {
      return;
    }
    if (span.scale != nullptr) {
      load_up_to(span.scale + column, count, scale);
    }
    load_up_to(c + column, count, there);
    // Never fused with the sum below: a compiler does so in some instances of this function and not
    // in others, and which one a panel meets depends on how threads share them.
    Lanes products = sums * scale;
    asm("" : "+m"(products));
    store_up_to(there + products, count, c + column);
  }
};

}  // namespace

Outliers quantize_rows_without_outliers(const Queue& queue, const float* x,
                                        const float* column_scale, const OutlierRule& rule,
                                        QuantizedRows& q) {
  require_cpu(queue, "quantize_rows_without_outliers");
  RALLREC_CHECK(q.depth() > 0 && rule.limit > 0.0F,
                "quantize_rows_without_outliers: no columns, or a limit that is not positive");
  const std::int64_t blocks = (q.rows() + kRowsPerBlock - 1) / kRowsPerBlock;
  Outliers outliers;
  outliers.offsets.resize(static_cast<std::size_t>(q.rows()) + 1);
  std::vector<Entries> taken(static_cast<std::size_t>(blocks));
  const auto padded = static_cast<std::size_t>(padded_row(q.depth()));
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(padded);
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t first = b * kRowsPerBlock;
      const RowsToTake rows{
          x, column_scale, &rule, first, std::min(q.rows(), first + kRowsPerBlock), row.data()};
      run_best_lanes<TakeRows>(&rows, &q, &taken[static_cast<std::size_t>(b)],
                               outliers.offsets.data() + 1);
    }
  });
  for (std::size_t i = 1; i < outliers.offsets.size(); ++i) {
    outliers.offsets[i] += outliers.offsets[i - 1];
  }
  for (const Entries& entries : taken) {
    outliers.columns.insert(outliers.columns.end(), entries.columns.begin(), entries.columns.end());
    outliers.values.insert(outliers.values.end(), entries.values.begin(), entries.values.end());
  }
  return outliers;
}

void add_outlier_products(const Queue& queue, const Outliers& outliers, const Int8Packed& b,
                          float* c) {
  require_cpu(queue, "add_outlier_products");
  if (outliers.values.empty()) {
    return;
  }
  const std::int64_t panels = int8_panels(b.columns);
  const std::int64_t stride = kWide * int8_padded_depth(b.depth);
  parallel_for(panels, kPanelsPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; p += kPanelsPerThread) {
      const std::int64_t first = p * kWide;
      run_best_lanes<PanelProducts>(
          &outliers, PanelSpan{b.packed + p * stride, stride, std::min(kPanelsPerThread, end - p),
                               b.scale + first, b.columns - first, c + first, b.columns});
    }
  });
}

void add_outlier_products_transposed(const Queue& queue, const Outliers& outliers,
                                     const Int8Packed& b, float* c) {
  require_cpu(queue, "add_outlier_products_transposed");
  if (outliers.values.empty()) {
    return;
  }
  const detail::Int8TurnPanel turn = detail::int8_kernel(int8_level()).turn;
  const std::int64_t panels = int8_panels(b.depth);
  const std::int64_t stride = int8_panels(b.columns) * kWide * kWide;
  parallel_for(panels, kPanelsPerThread, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int8_t> turned(static_cast<std::size_t>(kPanelsPerThread * stride));
    for (std::int64_t p = begin; p < end; p += kPanelsPerThread) {
      const std::int64_t first = p * kWide;
      const std::int64_t count = std::min(kPanelsPerThread, end - p);
      for (std::int64_t i = 0; i < count; ++i) {
        detail::turn_packed(turn, b.packed, b.depth, b.columns, p + i, turned.data() + i * stride);
      }
      run_best_lanes<PanelProducts>(&outliers, PanelSpan{turned.data(), stride, count, nullptr,
                                                         b.depth - first, c + first, b.depth});
    }
  });
}

}  // namespace rallrec::kernels
