#pragma once

#include <cstdint>

#include "kernels/int8_matmul_cpu.h"

namespace rallrec::kernels::detail {

// Panels as vpdpbusd and tdpbusd read them. Both sum four products of an unsigned by a signed byte,
// so a panel of 16 columns has its depth in fours, 64 bytes each: element (k, j) stands at
// k / 4 * 64 + j * 4 + k % 4, zero up to a depth that is a multiple of 64 (the length of a tile
// row). Activations are stored as q + 128 and
//   Σ_k q B[k, j] = Σ_k (q + 128) B[k, j] - 128 Σ_k B[k, j]   (modulo 2^32),
// so after the panel stand 16 int32 of -128 Σ_k B[k, j], with which the sums begin.

constexpr std::int64_t kQuadDepth = 64;

// Rows of a tile of AVX-512 VNNI: 2 × 12 sums, two quads of B and a broadcast quad of A in the 32
// vector registers.
constexpr int kVnniRows = 12;

inline std::int64_t quad_padded_depth(std::int64_t depth) {
  return (depth + kQuadDepth - 1) / kQuadDepth * kQuadDepth;
}

// Bytes of a panel with what stands after it.
inline std::int64_t quad_panel_bytes(std::int64_t depth) {
  return quad_padded_depth(depth) * 16 + 64;
}

// From a panel of `pairs` pairs to one of quads. Two pairs are the 64 bytes of a quad in another
// order, so `to` may be `from`. AVX-512 VNNI.
void make_quads(const std::int8_t* from, std::int64_t pairs, std::int8_t* to);

// The tiles and the store of the levels.
void tile_vnni(const Int8TileArguments& arguments);
void tile_amx(const Int8TileArguments& arguments);
void store_avx512(const Int8StoreArguments& arguments);
void enter_amx();
void leave_amx();

}  // namespace rallrec::kernels::detail
