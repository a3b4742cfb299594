#include "kernels/tile_matmul.h"

#include <algorithm>

#include "kernels/cpu_level.h"
#include "kernels/vector_types.h"

namespace rallrec::kernels {
namespace {

// Depth worked on at once: a panel of B (16 KiB) then stays in the first-level cache while all rows
// of A pass by.
constexpr std::int64_t kDepthBlock = 256;

// Panels side by side that one tile takes.
constexpr int kMaxPanels = 2;

struct Block {
  LeftMatrix a;
  const float* b;
  std::int64_t b_stride;
  std::int64_t panel_stride;
  std::int64_t depth;
  float* c;
  std::int64_t c_stride;
  std::int64_t columns;  // at most 16 per panel of the tile
  bool accumulate;
};

// A row of the last tile, which has fewer columns. By way of memory of its own: were the address of
// the sums taken, the compiler would keep all of them in memory.
template <typename Vector, int kVectors>
[[gnu::always_inline]] inline void store_row(const Vector* sums, const Block& block, float* c) {
  constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(float);
  float values[kVectors * kLanes];
#pragma GCC unroll 4
  for (std::int64_t v = 0; v < kVectors; ++v) {
    *reinterpret_cast<Vector*>(values + v * kLanes) = sums[v];
  }
  for (std::int64_t j = 0; j < block.columns; ++j) {
    c[j] = block.accumulate ? c[j] + values[j] : values[j];
  }
}

// kRows × 16 · kPanels elements of C in registers.
template <typename Vector, int kRows, int kPanels>
[[gnu::always_inline]] inline void micro_tile(const Block& block) {
  constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(float);
  constexpr std::int64_t kVectors = kPanelColumns / kLanes;
  Vector sum[kRows][kPanels * kVectors] = {};
  const float* b = block.b;
  // A pointer to every fourth row: as many as there are registers for.
  const float* fours[(kRows + 3) / 4];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; r += 4) {
    fours[r / 4] = block.a.data + r * block.a.row_stride;
  }
  // C may be far away; it comes while the products are summed.
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    __builtin_prefetch(block.c + r * block.c_stride, 1);
  }
  for (std::int64_t k = 0; k < block.depth; ++k) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const float left = fours[r / 4][r % 4 * block.a.row_stride];
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < kPanels * kVectors; ++v) {
        const float* right = b + v / kVectors * block.panel_stride + v % kVectors * kLanes;
        sum[r][v] += left * *reinterpret_cast<const Vector*>(right);
      }
    }
#pragma GCC unroll 4
    for (const float*& four : fours) {
      four += block.a.depth_stride;
    }
    b += block.b_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    float* c = block.c + r * block.c_stride;
    if (block.columns == kPanels * kPanelColumns) {
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < kPanels * kVectors; ++v) {
        auto* target = reinterpret_cast<Vector*>(c + v * kLanes);
        *target = block.accumulate ? *target + sum[r][v] : sum[r][v];
      }
    } else {
      store_row<Vector, kPanels * kVectors>(sum[r], block, c);
    }
  }
}

// The rows from `row` on in tiles of kRows; returns the first that is left.
template <typename Vector, int kRows, int kPanels>
[[gnu::always_inline]] inline std::int64_t tiles(const Block& whole, std::int64_t row,
                                                 std::int64_t rows) {
  Block block = whole;
  for (; row + kRows <= rows; row += kRows) {
    block.a.data = whole.a.data + row * whole.a.row_stride;
    block.c = whole.c + row * whole.c_stride;
    micro_tile<Vector, kRows, kPanels>(block);
  }
  return row;
}

// A few rows at once keep more sums going than one row does.
template <typename Vector, int kRows, int kPanels>
[[gnu::always_inline]] inline void panel_rows(const Block& block, std::int64_t rows) {
  std::int64_t row = tiles<Vector, kRows, kPanels>(block, 0, rows);
  row = tiles<Vector, (kRows > 4 ? 4 : 1), kPanels>(block, row, rows);
  tiles<Vector, 1, kPanels>(block, row, rows);
}

void panel_rows_baseline(const Block& block, std::int64_t rows) {
  panel_rows<Float8, 2, 1>(block, rows);
}

[[gnu::target("avx2,fma")]] void panel_rows_avx2(const Block& block, std::int64_t rows) {
  panel_rows<Float8, 6, 1>(block, rows);
}

// Two panels: a row's number is loaded once for two products, so that loads do not bound the rate.
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void panel_rows_avx512(
    const Block& block, std::int64_t rows) {
  if (block.columns > kPanelColumns) {
    panel_rows<Float16, 12, kMaxPanels>(block, rows);
  } else {
    panel_rows<Float16, 12, 1>(block, rows);
  }
}

struct Kernel {
  std::int64_t columns;  // of a tile
  void (*rows)(const Block& block, std::int64_t rows);
};

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
  static const Kernel kernel =
      choose_by_cpu<Kernel>({kPanelColumns, panel_rows_baseline}, {kPanelColumns, panel_rows_avx2},
                            {kMaxPanels * kPanelColumns, panel_rows_avx512});
  if (depth == 0 && !accumulate) {
    clear(rows, columns, c, c_stride);
  }
  for (std::int64_t k = 0; k < depth; k += kDepthBlock) {
    const std::int64_t size = std::min(kDepthBlock, depth - k);
    for (std::int64_t j = 0; j < columns; j += kernel.columns) {
      const float* panel = b.data + j / kPanelColumns * b.panel_stride + k * b.depth_stride;
      const LeftMatrix left{a.data + k * a.depth_stride, a.row_stride, a.depth_stride};
      kernel.rows({left, panel, b.depth_stride, b.panel_stride, size, c + j, c_stride,
                   std::min(kernel.columns, columns - j), accumulate || k > 0},
                  rows);
    }
  }
}

}  // namespace rallrec::kernels
