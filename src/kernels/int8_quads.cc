// The 8-bit matmul of AVX-512 VNNI and AMX.
#include "kernels/int8_quads.h"

#include <immintrin.h>

namespace rallrec::kernels::detail {
namespace {

// All lanes: the masked forms leave none undefined, which a compiler could warn of.
constexpr __mmask16 kAll = 0xFFFF;
constexpr int kRounding = _MM_FROUND_CUR_DIRECTION;

// The layout that ldtilecfg reads.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kWholeTiles;

}  // namespace

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]] void make_quads(
    const std::int8_t* from, std::int64_t pairs, std::int8_t* to) {
  alignas(64) std::uint16_t order[32];
  for (std::int64_t j = 0; j < 16; ++j) {
    order[2 * j] = static_cast<std::uint16_t>(j);
    order[2 * j + 1] = static_cast<std::uint16_t>(16 + j);
  }
  const __m512i interleave = _mm512_load_si512(order);
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i column_sums = _mm512_setzero_si512();
  const std::int64_t quads = quad_padded_depth(2 * pairs) / 4;
  for (std::int64_t q = 0; q < quads; ++q) {
    __m512i two_pairs = _mm512_setzero_si512();
    if (2 * q + 1 < pairs) {
      two_pairs = _mm512_loadu_si512(from + q * 64);
    } else if (2 * q < pairs) {
      two_pairs = _mm512_maskz_loadu_epi16(0xFFFF, from + q * 64);
    }
    const __m512i quad = _mm512_permutexvar_epi16(interleave, two_pairs);
    column_sums = _mm512_dpbusd_epi32(column_sums, ones, quad);
    _mm512_storeu_si512(to + q * 64, quad);
  }
  const __m512i start =
      _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_maskz_slli_epi32(kAll, column_sums, 7));
  _mm512_storeu_si512(to + quads * 64, start);
}

// kRows × 32 columns in registers: two quads of B are loaded once, and each row's four bytes, once
// broadcast, meet both. Rows beyond the last are readable and their sums are not used.
template <std::int64_t kRows>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), gnu::always_inline]] inline void
tile_vnni_of(const Int8TileArguments& arguments) {
  const std::int8_t* left = arguments.panels[0];
  const std::int8_t* right = arguments.panels[1];
  const std::int64_t quads = arguments.depth / 4;
  const std::int64_t stride = arguments.a_stride;
  __m512i sums[2][kRows];
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < kRows; ++i) {
    sums[0][i] = _mm512_loadu_si512(left + quads * 64);
    sums[1][i] = _mm512_loadu_si512(right + quads * 64);
  }
  // A pointer to every fourth row: as many as there are registers for.
  const std::byte* fours[kRows / 4];
#pragma GCC unroll 4
  for (std::int64_t i = 0; i < kRows / 4; ++i) {
    fours[i] = arguments.a + 4 * i * stride;
  }
  for (std::int64_t q = 0; q < quads; ++q) {
    const __m512i left_quad = _mm512_loadu_si512(left + q * 64);
    const __m512i right_quad = _mm512_loadu_si512(right + q * 64);
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < kRows; ++i) {
      std::int32_t four;
      __builtin_memcpy(&four, fours[i / 4] + i % 4 * stride, sizeof(four));
      const __m512i row = _mm512_set1_epi32(four);
      sums[0][i] = _mm512_dpbusd_epi32(sums[0][i], row, left_quad);
      sums[1][i] = _mm512_dpbusd_epi32(sums[1][i], row, right_quad);
    }
#pragma GCC unroll 4
    for (const std::byte*& four_rows : fours) {
      four_rows += 4;
    }
  }
#pragma GCC unroll 16
  for (std::int64_t i = 0; i < kRows; ++i) {
    _mm512_storeu_si512(arguments.sums + i * 16, sums[0][i]);
    _mm512_storeu_si512(arguments.sums + (kVnniRows + i) * 16, sums[1][i]);
  }
}

// A few rows, as when texts are written token by token, do not pay for twelve.
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]] void tile_vnni(
    const Int8TileArguments& arguments) {
  if (arguments.rows <= 4) {
    tile_vnni_of<4>(arguments);
  } else {
    tile_vnni_of<kVnniRows>(arguments);
  }
}

// 32 rows × 32 columns: four tiles of sums, so two tiles of A and two of B, loaded once per 64 of
// depth, feed four products. A load with stride 0 begins all 16 rows with the panel's start.
[[gnu::target("amx-tile,amx-int8")]] void tile_amx(const Int8TileArguments& arguments) {
  const std::byte* a = arguments.a;
  const std::byte* lower = a + 16 * arguments.a_stride;
  const std::int8_t* left = arguments.panels[0];
  const std::int8_t* right = arguments.panels[1];
  const auto stride = static_cast<long>(arguments.a_stride);
  const std::int64_t depth = arguments.depth;
  _tile_loadd(0, left + depth * 16, 0);
  _tile_loadd(1, right + depth * 16, 0);
  _tile_loadd(2, left + depth * 16, 0);
  _tile_loadd(3, right + depth * 16, 0);
  for (std::int64_t k = 0; k < depth; k += kQuadDepth) {
    _tile_loadd(4, a + k, stride);
    _tile_loadd(5, lower + k, stride);
    _tile_loadd(6, left + k * 16, 64);
    _tile_loadd(7, right + k * 16, 64);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
  std::int32_t* sums = arguments.sums;
  _tile_stored(0, sums, 64);
  _tile_stored(2, sums + 256, 64);
  _tile_stored(1, sums + 512, 64);
  _tile_stored(3, sums + 768, 64);
}

[[gnu::target("amx-tile")]] void enter_amx() { _tile_loadconfig(&kWholeTiles); }
[[gnu::target("amx-tile")]] void leave_amx() { _tile_release(); }

// Multiplies and adds with explicit rounding: compilers must not fuse them, or the bits would
// differ from those of the other levels.
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]] void store_avx512(
    const Int8StoreArguments& arguments) {
  const auto mask = static_cast<__mmask16>((1U << arguments.columns) - 1U);
  const __m512 b_scale = arguments.b_scale == nullptr
                             ? _mm512_set1_ps(1.0F)
                             : _mm512_maskz_loadu_ps(mask, arguments.b_scale);
  for (std::int64_t i = 0; i < arguments.rows; ++i) {
    float* c = arguments.c + i * arguments.c_stride;
    const __m512 a_scale = _mm512_set1_ps(arguments.a_scale[i]);
    const __m512i sums = _mm512_loadu_si512(arguments.sums + i * 16);
    const __m512 scale = _mm512_maskz_mul_round_ps(mask, a_scale, b_scale, kRounding);
    __m512 value =
        _mm512_maskz_mul_round_ps(mask, scale, _mm512_maskz_cvtepi32_ps(mask, sums), kRounding);
    if (arguments.accumulate) {
      value = _mm512_maskz_add_round_ps(mask, _mm512_maskz_loadu_ps(mask, c), value, kRounding);
    }
    _mm512_mask_storeu_ps(c, mask, value);
  }
}

}  // namespace rallrec::kernels::detail
