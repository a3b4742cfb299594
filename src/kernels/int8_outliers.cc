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
constexpr std::int64_t kScanned = 64;
constexpr std::int64_t kWide = kInt8PanelColumns;

// Of the values of a row whose magnitude is below a limit.
struct Extent {
  float largest = 0.0F;
  float square_sum = 0.0F;
  float poison = 0.0F;  // NaN where any value of the row is not finite, else 0
};

struct MeasureBelow {
  [[gnu::always_inline]] static void run(const float* x, std::int64_t depth, float limit,
                                         Extent* extent) {
    FloatLanes most{};
    FloatLanes squares{};
    FloatLanes poison{};
    std::int64_t k = 0;
    for (; k + 8 <= depth; k += 8) {
      FloatLanes value;
      load8(x + k, value);
      poison += value - value;
      value = value < 0.0F ? -value : value;
      value = value >= limit ? FloatLanes{} : value;
      most = value > most ? value : most;
      squares += value * value;
    }
    for (int lane = 0; lane < 8; ++lane) {
      extent->largest = std::max(extent->largest, most[lane]);
      extent->square_sum += squares[lane];
      extent->poison += poison[lane];
    }
    for (; k < depth; ++k) {
      const float value = std::fabs(x[k]) >= limit ? 0.0F : std::fabs(x[k]);
      extent->largest = std::max(extent->largest, value);
      extent->square_sum += value * value;
      extent->poison += x[k] - x[k];
    }
  }
};

// The magnitude from which values of the row are outliers. It falls from round to round, since all
// that is left lies below it.
float outlier_limit(const OutlierRule& rule, const float* x, std::int64_t depth) {
  constexpr float kNone = std::numeric_limits<float>::infinity();
  float limit = kNone;
  for (;;) {
    Extent extent;
    run_best<MeasureBelow>(x, depth, limit, &extent);
    if (std::isnan(extent.poison)) {
      return kNone;
    }
    if (rule.kind == OutlierRule::Kind::kMagnitude) {
      return rule.limit;
    }
    const float next = rule.limit * std::sqrt(extent.square_sum / static_cast<float>(depth));
    if (next == 0.0F || extent.largest < next) {
      return limit;
    }
    limit = next;
  }
}

// Values and their columns, row after row.
struct Entries {
  std::vector<std::int32_t> columns;
  std::vector<float> values;
};

// Whether any of the 64 values has a magnitude of at least limit.
struct AnyFrom {
  [[gnu::always_inline]] static void run(const float* x, float limit, bool* any) {
    FloatLanes most{};
    for (std::int64_t k = 0; k < kScanned; k += 8) {
      FloatLanes value;
      load8(x + k, value);
      value = value < 0.0F ? -value : value;
      most = value > most ? value : most;
    }
    float largest = 0.0F;
    for (int lane = 0; lane < 8; ++lane) {
      largest = std::max(largest, most[lane]);
    }
    *any = largest >= limit;
  }
};

// Moves the values from `limit` on out of the row.
void take(float limit, std::int64_t depth, float* row, Entries& entries) {
  for (std::int64_t first = 0; first < depth; first += kScanned) {
    const std::int64_t last = std::min(depth, first + kScanned);
    bool any = true;
    if (last - first == kScanned) {
      run_best<AnyFrom>(static_cast<const float*>(row + first), limit, &any);
    }
    for (std::int64_t k = first; any && k < last; ++k) {
      if (std::fabs(row[k]) >= limit) {
        entries.columns.push_back(static_cast<std::int32_t>(k));
        entries.values.push_back(row[k]);
        row[k] = 0.0F;
      }
    }
  }
}

// The rows [begin, end) without outliers go into `rest`, the outliers into `entries`, their number
// per row into counts[row].
void take_rows(const float* x, const float* column_scale, const OutlierRule& rule,
               std::int64_t depth, std::int64_t begin, std::int64_t end, float* rest,
               Entries& entries, std::int64_t* counts) {
  for (std::int64_t i = begin; i < end; ++i) {
    float* row = rest + (i - begin) * depth;
    std::copy_n(x + i * depth, depth, row);
    for (std::int64_t k = 0; column_scale != nullptr && k < depth; ++k) {
      row[k] *= column_scale[k];
    }
    const std::size_t before = entries.values.size();
    const float limit = outlier_limit(rule, row, depth);
    if (std::isfinite(limit)) {
      take(limit, depth, row, entries);
    }
    counts[i] = static_cast<std::int64_t>(entries.values.size() - before);
  }
}

// 16 columns of C (+)= scale · the outliers of all rows times a panel. `sums` of a row are in two
// registers.
struct PanelProducts {
  [[gnu::always_inline]] static void run(const Outliers* outliers, const std::int8_t* panel,
                                         const float* scale, std::int64_t count, float* c,
                                         std::int64_t c_stride) {
    FloatLanes scales[2];
    load_part(scale, std::min<std::int64_t>(count, 8), 0.0F, scales[0]);
    load_part(scale + 8, std::max<std::int64_t>(count - 8, 0), 0.0F, scales[1]);
    const auto rows = static_cast<std::int64_t>(outliers->offsets.size()) - 1;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t begin = outliers->offsets[i];
      const std::int64_t end = outliers->offsets[i + 1];
      if (begin == end) {
        continue;
      }
      FloatLanes sums[2] = {};
      for (std::int64_t e = begin; e < end; ++e) {
        add_row(panel, outliers->columns[e], outliers->values[e], sums);
      }
      add_to(c + i * c_stride, sums[0] * scales[0], count);
      add_to(c + i * c_stride + 8, sums[1] * scales[1], count - 8);
    }
  }

  // A pair of depths of a column is a number of 16 bits, the even one in its low byte.
  [[gnu::always_inline]] static void add_row(const std::int8_t* panel, std::int64_t k, float value,
                                             FloatLanes* sums) {
    using Pairs [[gnu::vector_size(16)]] = std::int16_t;
    const int up = k % 2 == 0 ? 8 : 0;
    for (std::int64_t half = 0; half < 2; ++half) {
      Pairs pairs;
      std::memcpy(&pairs, panel + k / 2 * 2 * kWide + half * 16, sizeof(pairs));
      pairs = (pairs << up) >> 8;
      sums[half] += value * __builtin_convertvector(pairs, FloatLanes);
    }
  }

  [[gnu::always_inline]] static void add_to(float* c, const FloatLanes& products,
                                            std::int64_t count) {
    if (count >= 8) {
      FloatLanes there;
      load8(c, there);
      store8(there + products, c);
    } else {
      for (int lane = 0; lane < count; ++lane) {
        c[lane] += products[lane];
      }
    }
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
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> rest(static_cast<std::size_t>(kRowsPerBlock * q.depth()));
    for (std::int64_t b = begin; b < end; ++b) {
      const std::int64_t first = b * kRowsPerBlock;
      const std::int64_t last = std::min(q.rows(), first + kRowsPerBlock);
      take_rows(x, column_scale, rule, q.depth(), first, last, rest.data(),
                taken[static_cast<std::size_t>(b)], outliers.offsets.data() + 1);
      detail::quantize_row_range(rest.data(), nullptr, first, last, q);
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
  parallel_for(panels, kPanelsPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = p * kWide;
      run_best<PanelProducts>(&outliers, b.packed + first * int8_padded_depth(b.depth),
                              b.scale + first, std::min(kWide, b.columns - first), c + first,
                              b.columns);
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
  const std::int64_t padded_columns = int8_panels(b.columns) * kWide;
  parallel_for(panels, kPanelsPerThread, [&](std::int64_t begin, std::int64_t end) {
    constexpr float kOnes[kWide] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    std::vector<std::int8_t> turned(static_cast<std::size_t>(padded_columns * kWide));
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = p * kWide;
      detail::turn_packed(turn, b.packed, b.depth, b.columns, p, turned.data());
      run_best<PanelProducts>(&outliers, static_cast<const std::int8_t*>(turned.data()),
                              static_cast<const float*>(kOnes), std::min(kWide, b.depth - first),
                              c + first, b.depth);
    }
  });
}

}  // namespace rallrec::kernels
