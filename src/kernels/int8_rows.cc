#include "kernels/int8_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/bfloat16.h"
#include "kernels/int8_matmul.h"
#include "kernels/int8_rows_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Extent {
  float largest = 0.0F;
  float square_sum = 0.0F;
  bool finite = true;
};

Extent extent_below(const std::vector<float>& row, float limit) {
  Extent extent;
  for (const float value : row) {
    extent.finite = extent.finite && std::isfinite(value);
    const float magnitude = std::fabs(value);
    if (magnitude < limit) {
      extent.largest = std::max(extent.largest, magnitude);
      extent.square_sum += magnitude * magnitude;
    }
  }
  return extent;
}

// The magnitude from which values are outliers, and the extent of those below.
float find_limit(const std::vector<float>& row, const OutlierRule* rule, Extent& extent) {
  float limit = kInfinity;
  if (rule != nullptr && rule->kind == OutlierRule::Kind::kMagnitude) {
    limit = rule->limit;
  }
  extent = extent_below(row, limit);
  while (extent.finite && rule != nullptr && rule->kind == OutlierRule::Kind::kTimesRms) {
    const float next = rule->limit * std::sqrt(extent.square_sum / static_cast<float>(row.size()));
    if (next == 0.0F || extent.largest < next) {
      break;
    }
    limit = next;
    extent = extent_below(row, limit);
  }
  return limit;
}

std::int64_t take_outliers(const std::vector<float>& row, float limit, std::int64_t i,
                           const OutlierSlots& outliers) {
  std::int64_t count = 0;
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (std::fabs(row[k]) >= limit) {
      if (count < outliers.capacity) {
        outliers.columns[i * outliers.capacity + count] = static_cast<std::int32_t>(k);
        outliers.values[i * outliers.capacity + count] = row[k];
      }
      ++count;
    }
  }
  return count;
}

void quantize_row(const Int8RowsInput& input, std::int64_t i, std::vector<float>& row,
                  std::int8_t* q, float* scale, const OutlierSlots& outliers) {
  const auto depth = static_cast<std::int64_t>(row.size());
  for (std::int64_t k = 0; k < depth; ++k) {
    const float factor = input.column_scale == nullptr ? 1.0F : input.column_scale[k];
    row[static_cast<std::size_t>(k)] = input.x[i * depth + k] * factor;
  }
  Extent extent;
  const float limit = find_limit(row, input.rule, extent);
  std::int64_t count = 0;
  if (input.rule != nullptr) {
    count = extent.finite ? take_outliers(row, limit, i, outliers) : 0;
    outliers.counts[i] = static_cast<std::int32_t>(count);
  }
  const bool sound = extent.finite && count <= outliers.capacity;
  scale[i] = sound ? extent.largest / 127.0F : std::numeric_limits<float>::quiet_NaN();
  const float inverse = sound ? int8_factor(extent.largest) : 0.0F;
  for (std::int64_t k = 0; k < depth; ++k) {
    const float value = row[static_cast<std::size_t>(k)];
    const bool kept = sound && std::fabs(value) < limit;
    q[i * depth + k] = static_cast<std::int8_t>(kept ? std::nearbyintf(value * inverse) : 0.0F);
  }
}

float epilogue_of(const Int8Epilogue& e, std::int64_t i, std::int64_t j, std::int32_t sum) {
  const float column_scale = e.column_scale == nullptr ? 1.0F : e.column_scale[j];
  float y = e.row_scale[i] * column_scale * static_cast<float>(sum);
  y += e.bias == nullptr ? 0.0F : e.bias[j];
  for (std::int64_t r = 0; r < e.rank; ++r) {
    y += e.u[i * e.rank + r] * e.b[j * e.rank + r];
  }
  return y;
}

}  // namespace

void int8_quantize(const Queue& queue, std::int64_t rows, std::int64_t depth,
                   const Int8RowsInput& input, std::int8_t* q, float* scale,
                   const OutlierSlots& outliers) {
  RALLREC_CHECK(depth > 0, "int8_quantize: no columns");
  RALLREC_CHECK(rows == 0 || input.rule == nullptr || outliers.counts != nullptr,
                "int8_quantize: a rule without slots");
  if (queue.device == Device::kCuda) {
    detail::int8_quantize_gpu(queue, rows, depth, input, q, scale, outliers);
    return;
  }
  parallel_for(rows, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> row(static_cast<std::size_t>(depth));
    for (std::int64_t i = begin; i < end; ++i) {
      quantize_row(input, i, row, q, scale, outliers);
    }
  });
}

void int8_epilogue(const Queue& queue, std::int64_t rows, std::int64_t columns,
                   const std::int32_t* sums, const Int8Epilogue& epilogue, float* y) {
  RALLREC_CHECK(epilogue.rank >= 0 && epilogue.rank <= kMostLoraRank,
                "int8_epilogue: the rank is above 64");
  if (queue.device == Device::kCuda) {
    detail::int8_epilogue_gpu(queue, rows, columns, sums, epilogue, y);
    return;
  }
  parallel_for(rows, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin * columns; at < end * columns; ++at) {
      const float value = epilogue_of(epilogue, at / columns, at % columns, sums[at]);
      y[at] = epilogue.accumulate ? y[at] + value : value;
    }
  });
}

void dequantize_rows(const Queue& queue, std::int64_t rows, std::int64_t depth,
                     const std::int8_t* q, const float* scale, std::uint16_t* y) {
  if (queue.device == Device::kCuda) {
    detail::dequantize_rows_gpu(queue, rows, depth, q, scale, y);
    return;
  }
  parallel_for(rows, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t k = i * depth; k < (i + 1) * depth; ++k) {
        y[k] = rounded_to_bfloat16(static_cast<float>(q[k]) * scale[i]);
      }
    }
  });
}

}  // namespace rallrec::kernels
