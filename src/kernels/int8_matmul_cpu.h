#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/int8_level.h"

namespace rallrec::kernels {

class QuantizedRows;

namespace detail {

// Row i of q and its scale from x [depth of q], whose largest magnitude is known; NaN for a row
// with a value that is not finite.
void round_row(const float* x, float largest, std::int64_t i, QuantizedRows& q);

// One tile of the product: up to tile_rows rows of A against tile_panels panels of B. `depth` is
// that of the panels in the form the level multiplies. sums is int32 [tile_panels, tile_rows, 16],
// of which `rows` rows of each panel are meaningful.
struct Int8TileArguments {
  int rows;
  std::int64_t depth;
  const std::byte* a;
  std::int64_t a_stride;         // bytes
  const std::int8_t* panels[2];  // the second one for levels with two only
  std::int32_t* sums;
};

// What becomes of the sums of one panel: c[i, j] (+)= a_scale[i] · b_scale[j] · sums[i, j] for
// `columns` <= 16; b_scale null = 1.
struct Int8StoreArguments {
  int rows;
  std::int64_t columns;
  const std::int32_t* sums;
  const float* a_scale;
  const float* b_scale;
  bool accumulate;
  float* c;
  std::int64_t c_stride;
};

// Turns the 16 depths 16 b … of a packed matrix into one panel of its transpose:
// `from` points at panel 0, depth 16 b; its panels are `panel_stride` bytes apart and `panels` in
// number; `to` receives `panels` × 16 columns as depth, 256 bytes per panel.
using Int8TurnPanel = void (*)(const std::int8_t* from, std::int64_t panel_stride,
                               std::int64_t panels, std::int8_t* to);

// The code of one level.
struct Int8Kernel {
  int tile_rows;
  int tile_panels;
  // Whether panels are multiplied with their depth in fours (int8_quads.h) rather than in pairs.
  bool quads;
  void (*tile)(const Int8TileArguments&);
  void (*store)(const Int8StoreArguments&);
  Int8TurnPanel turn;
  // Around the tiles that a thread computes; null where nothing is to be done.
  void (*enter)();
  void (*leave)();
};

// Panel `panel` of the transpose of B [depth, columns] packed by pack_int8: its columns as depth,
// in pairs, up to a multiple of 16: 16 · that many bytes.
void turn_packed(Int8TurnPanel turn, const std::int8_t* b, std::int64_t depth, std::int64_t columns,
                 std::int64_t panel, std::int8_t* to);

constexpr int kInt8MaxTileSums = 2 * 32 * 16;

const Int8Kernel& int8_kernel(Int8Level level);

}  // namespace detail
}  // namespace rallrec::kernels
