#include "kernels/tile_matmul.h"

#include <algorithm>

#include "kernels/cpu_level.h"
#include "kernels/vector_types.h"

namespace rallrec::kernels {
namespace {

// Depth worked on at once: a panel of B (16 KiB) then stays in the first-level cache while all rows
// of A pass by.
constexpr std::int64_t kDepthBlock = 256;

struct Block {
  LeftMatrix a;
  const float* b;
  std::int64_t b_stride;
  std::int64_t depth;
  float* c;
  std::int64_t c_stride;
  std::int64_t columns;  // at most 16
  bool accumulate;
};

[[gnu::always_inline]] inline void store_row(const float* sum, const Block& block, float* c) {
  for (std::int64_t j = 0; j < block.columns; ++j) {
    c[j] = block.accumulate ? c[j] + sum[j] : sum[j];
  }
}

// kRows × 16 elements of C in registers.
template <typename Vector, int kRows>
[[gnu::always_inline]] inline void micro_tile(const Block& block) {
  constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(float);
  constexpr std::int64_t kVectors = kPanelColumns / kLanes;
  Vector sum[kRows][kVectors] = {};
  const float* a = block.a.data;
  const float* b = block.b;
  // C may be far away; it comes while the products are summed.
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    __builtin_prefetch(block.c + r * block.c_stride, 1);
  }
  for (std::int64_t k = 0; k < block.depth; ++k) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const float left = a[r * block.a.row_stride];
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < kVectors; ++v) {
        sum[r][v] += left * *reinterpret_cast<const Vector*>(b + v * kLanes);
      }
    }
    a += block.a.depth_stride;
    b += block.b_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    float* c = block.c + r * block.c_stride;
    if (block.columns == kPanelColumns) {
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < kVectors; ++v) {
        auto* target = reinterpret_cast<Vector*>(c + v * kLanes);
        *target = block.accumulate ? *target + sum[r][v] : sum[r][v];
      }
    } else {
      store_row(reinterpret_cast<const float*>(&sum[r][0]), block, c);
    }
  }
}

template <typename Vector, int kRows>
[[gnu::always_inline]] inline void panel_rows(Block block, std::int64_t rows) {
  const LeftMatrix a = block.a;
  float* const c = block.c;
  std::int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    block.a.data = a.data + row * a.row_stride;
    block.c = c + row * block.c_stride;
    micro_tile<Vector, kRows>(block);
  }
  for (; row < rows; ++row) {
    block.a.data = a.data + row * a.row_stride;
    block.c = c + row * block.c_stride;
    micro_tile<Vector, 1>(block);
  }
}

void panel_rows_baseline(const Block& block, std::int64_t rows) {
  panel_rows<Float8, 2>(block, rows);
}

[[gnu::target("avx2,fma")]] void panel_rows_avx2(const Block& block, std::int64_t rows) {
  panel_rows<Float8, 6>(block, rows);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void panel_rows_avx512(
    const Block& block, std::int64_t rows) {
  panel_rows<Float16, 12>(block, rows);
}

void clear(std::int64_t rows, std::int64_t columns, float* c, std::int64_t c_stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    std::fill_n(c + r * c_stride, columns, 0.0f);
  }
}

}  // namespace

std::int64_t packed_size(std::int64_t depth, std::int64_t columns) {
  return (columns + kPanelColumns - 1) / kPanelColumns * kPanelColumns * depth;
}

Panels pack_panels(const float* source, std::int64_t depth_stride, std::int64_t column_stride,
                   std::int64_t depth, std::int64_t columns, float* packed) {
  float* out = packed;
  for (std::int64_t first = 0; first < columns; first += kPanelColumns) {
    const std::int64_t width = std::min(kPanelColumns, columns - first);
    const float* panel = source + first * column_stride;
    for (std::int64_t k = 0; k < depth; ++k, out += kPanelColumns) {
      for (std::int64_t j = 0; j < width; ++j) {
        out[j] = panel[k * depth_stride + j * column_stride];
      }
      std::fill(out + width, out + kPanelColumns, 0.0f);
    }
  }
  return {packed, kPanelColumns * depth, kPanelColumns};
}

void tile_matmul(const LeftMatrix& a, const Panels& b, std::int64_t rows, std::int64_t depth,
                 std::int64_t columns, bool accumulate, float* c, std::int64_t c_stride) {
  static const auto kernel = choose_by_cpu(panel_rows_baseline, panel_rows_avx2, panel_rows_avx512);
  if (depth == 0 && !accumulate) {
    clear(rows, columns, c, c_stride);
  }
  for (std::int64_t k = 0; k < depth; k += kDepthBlock) {
    const std::int64_t size = std::min(kDepthBlock, depth - k);
    for (std::int64_t j = 0; j < columns; j += kPanelColumns) {
      const float* panel = b.data + j / kPanelColumns * b.panel_stride + k * b.depth_stride;
      const LeftMatrix left{a.data + k * a.depth_stride, a.row_stride, a.depth_stride};
      kernel({left, panel, b.depth_stride, size, c + j, c_stride,
              std::min(kPanelColumns, columns - j), accumulate || k > 0},
             rows);
    }
  }
}

}  // namespace rallrec::kernels
