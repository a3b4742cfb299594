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

// Turns the 16 depths 16 b … of a packed matrix into one panel of its transpose:
// `from` points at panel 0, depth 16 b; its panels are `panel_stride` bytes apart and `panels` in
// number; `to` receives `panels` × 16 columns as depth, 256 bytes per panel.
using Int8TurnPanel = void (*)(const std::int8_t* from, std::int64_t panel_stride,
                               std::int64_t panels, std::int8_t* to);

// Those of the best instruction set this CPU has.
Int8Tile int8_tile();
Int8TurnPanel int8_turn_panel();

}  // namespace rallrec::kernels::detail
