#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

// Largest number of rows that one tile computes: 4 × 2 accumulators of 8 lanes, two registers of B
// and the products fit 16 vector registers with no spill, and the multiplier is busy all the time.
constexpr int kInt8TileRows = 4;

// sums[i, j] = Σ over `pairs` pairs of A row i and panel column j; int32 [kInt8TileRows, 16], of
// which `rows` are meaningful. `a_stride` in elements; 1 <= rows <= kInt8TileRows.
using Int8Tile = void (*)(int rows, std::int64_t pairs, const std::int16_t* a,
                          std::int64_t a_stride, const std::int8_t* panel, std::int32_t* sums);

// The tile of the best instruction set this CPU has.
Int8Tile int8_tile();

}  // namespace rallrec::kernels::detail
