#include "kernels/int8_matmul_cpu.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/int8_matmul.h"
#include "kernels/int8_quads.h"

namespace rallrec::kernels::detail {
namespace {

// Rows of a tile up to AVX2: 6 × 2 accumulators of 8 lanes, two registers of B, a pair of A and its
// product fill the 16 vector registers.
constexpr int kPairTileRows = 6;

void tile_baseline(const Int8TileArguments& arguments) {
  const int rows = arguments.rows;
  const std::int64_t pairs = arguments.depth / 2;
  const auto* a = reinterpret_cast<const std::int16_t*>(arguments.a);
  const std::int64_t a_stride = arguments.a_stride / 2;
  const std::int8_t* panel = arguments.panels[0];
  std::int32_t* sums = arguments.sums;
  std::fill_n(sums, std::int64_t{rows} * kInt8PanelColumns, 0);
  for (std::int64_t p = 0; p < pairs; ++p) {
    const std::int8_t* b = panel + p * 2 * kInt8PanelColumns;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int32_t a0 = a[i * a_stride + 2 * p];
      const std::int32_t a1 = a[i * a_stride + 2 * p + 1];
      for (std::int64_t j = 0; j < kInt8PanelColumns; ++j) {
        sums[i * kInt8PanelColumns + j] += a0 * b[2 * j] + a1 * b[2 * j + 1];
      }
    }
  }
}

using Sums = __m256i;

// sum += the pair at `a` times the pairs of b0 and b1.
[[gnu::target("avx2"), gnu::always_inline]] inline void add_products(const std::int16_t* a, Sums b0,
                                                                     Sums b1, Sums& low,
                                                                     Sums& high) {
  std::int32_t pair;
  std::memcpy(&pair, a, sizeof(pair));
  const Sums both = _mm256_set1_epi32(pair);
  low = _mm256_add_epi32(low, _mm256_madd_epi16(both, b0));
  high = _mm256_add_epi32(high, _mm256_madd_epi16(both, b1));
}

[[gnu::target("avx2"), gnu::always_inline]] inline void store_sums(Sums low, Sums high,
                                                                   std::int32_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 8), high);
}

// Where the rows of A begin. Missing rows repeat the last one and are not used.
struct PairRows {
  const std::int16_t* row[kPairTileRows];

  explicit PairRows(const Int8TileArguments& arguments) {
    const auto* a = reinterpret_cast<const std::int16_t*>(arguments.a);
    for (int i = 0; i < kPairTileRows; ++i) {
      row[i] = a + std::min(i, arguments.rows - 1) * (arguments.a_stride / 2);
    }
  }
};

// AVX2 has no exact int8 × int8 product, but its int16 pair product (vpmaddwd) is exact and does
// twice the multiply-adds of an fp32 FMA: B is widened as it is loaded. Named accumulators, not an
// array: the compiler keeps an array's copy in memory.
[[gnu::target("avx2")]] void tile_avx2_of_six(const Int8TileArguments& arguments) {
  const PairRows a(arguments);
  const std::int64_t depth = arguments.depth;
  const std::int8_t* panel = arguments.panels[0];
  const std::int16_t *a0 = a.row[0], *a1 = a.row[1], *a2 = a.row[2];
  const std::int16_t *a3 = a.row[3], *a4 = a.row[4], *a5 = a.row[5];
  const Sums zero = _mm256_setzero_si256();
  Sums low0 = zero, high0 = zero, low1 = zero, high1 = zero, low2 = zero, high2 = zero;
  Sums low3 = zero, high3 = zero, low4 = zero, high4 = zero, low5 = zero, high5 = zero;
  for (std::int64_t k = 0; k < depth; k += 2) {
    const auto* b = reinterpret_cast<const __m128i*>(panel + k * kInt8PanelColumns);
    const Sums b0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(b));
    const Sums b1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(b + 1));
    add_products(a0 + k, b0, b1, low0, high0);
    add_products(a1 + k, b0, b1, low1, high1);
    add_products(a2 + k, b0, b1, low2, high2);
    add_products(a3 + k, b0, b1, low3, high3);
    add_products(a4 + k, b0, b1, low4, high4);
    add_products(a5 + k, b0, b1, low5, high5);
  }
  std::int32_t* sums = arguments.sums;
  store_sums(low0, high0, sums);
  store_sums(low1, high1, sums + kInt8PanelColumns);
  store_sums(low2, high2, sums + 2 * kInt8PanelColumns);
  store_sums(low3, high3, sums + 3 * kInt8PanelColumns);
  store_sums(low4, high4, sums + 4 * kInt8PanelColumns);
  store_sums(low5, high5, sums + 5 * kInt8PanelColumns);
}

// The same for at most two rows, as when texts are written token by token.
[[gnu::target("avx2")]] void tile_avx2_of_two(const Int8TileArguments& arguments) {
  const PairRows a(arguments);
  const std::int64_t depth = arguments.depth;
  const std::int8_t* panel = arguments.panels[0];
  const Sums zero = _mm256_setzero_si256();
  Sums low0 = zero, high0 = zero, low1 = zero, high1 = zero;
  for (std::int64_t k = 0; k < depth; k += 2) {
    const auto* b = reinterpret_cast<const __m128i*>(panel + k * kInt8PanelColumns);
    const Sums b0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(b));
    const Sums b1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(b + 1));
    add_products(a.row[0] + k, b0, b1, low0, high0);
    add_products(a.row[1] + k, b0, b1, low1, high1);
  }
  store_sums(low0, high0, arguments.sums);
  store_sums(low1, high1, arguments.sums + kInt8PanelColumns);
}

[[gnu::target("avx2")]] void tile_avx2(const Int8TileArguments& arguments) {
  if (arguments.rows <= 2) {
    tile_avx2_of_two(arguments);
  } else {
    tile_avx2_of_six(arguments);
  }
}

void store_baseline(const Int8StoreArguments& arguments) {
  for (int i = 0; i < arguments.rows; ++i) {
    float* c = arguments.c + i * arguments.c_stride;
    const std::int32_t* sum = arguments.sums + i * kInt8PanelColumns;
    const float a_scale = arguments.a_scale[i];
    for (std::int64_t j = 0; j < arguments.columns; ++j) {
      const float scale = arguments.b_scale == nullptr ? a_scale : a_scale * arguments.b_scale[j];
      const float value = scale * static_cast<float>(sum[j]);
      c[j] = arguments.accumulate ? c[j] + value : value;
    }
  }
}

// Rounds as store_baseline does: products and sums one by one (no FMA in this target).
[[gnu::target("avx2")]] void store_avx2(const Int8StoreArguments& arguments) {
  if (arguments.columns != kInt8PanelColumns) {
    store_baseline(arguments);
    return;
  }
  const bool scaled = arguments.b_scale != nullptr;
  for (std::int64_t half = 0; half < kInt8PanelColumns; half += 8) {
    const __m256 b_scale =
        scaled ? _mm256_loadu_ps(arguments.b_scale + half) : _mm256_set1_ps(1.0F);
    for (std::int64_t i = 0; i < arguments.rows; ++i) {
      const std::int32_t* sums = arguments.sums + i * kInt8PanelColumns + half;
      const __m256i whole = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums));
      const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(arguments.a_scale[i]), b_scale);
      __m256 value = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(whole));
      float* c = arguments.c + i * arguments.c_stride + half;
      if (arguments.accumulate) {
        value = _mm256_add_ps(_mm256_loadu_ps(c), value);
      }
      _mm256_storeu_ps(c, value);
    }
  }
}

// Byte (depth k, column j) of a block stands at k / 2 * 32 + j * 2 + k % 2, and in the block of the
// transpose at j / 2 * 32 + k * 2 + j % 2.
void turn_panel_baseline(const std::int8_t* from, std::int64_t panel_stride, std::int64_t panels,
                         std::int8_t* to) {
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    const std::int8_t* block = from + panel * panel_stride;
    std::int8_t* turned = to + panel * kInt8PanelColumns * kInt8PanelColumns;
    for (std::int64_t k = 0; k < kInt8PanelColumns; ++k) {
      for (std::int64_t j = 0; j < kInt8PanelColumns; ++j) {
        turned[j / 2 * 2 * kInt8PanelColumns + k * 2 + j % 2] =
            block[k / 2 * 2 * kInt8PanelColumns + j * 2 + k % 2];
      }
    }
  }
}

// Rows of eight 32-bit numbers, transposed.
[[gnu::target("avx2"), gnu::always_inline]] inline void transpose_8x8(__m256i* rows) {
  __m256i pairs[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  __m256i fours[8];
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
  }
}

// Two columns of a pair of depths are four bytes; with the middle two swapped they are two depths
// of a pair of columns, and the block is 8 × 8 such numbers to transpose.
[[gnu::target("avx2")]] void turn_panel_avx2(const std::int8_t* from, std::int64_t panel_stride,
                                             std::int64_t panels, std::int8_t* to) {
  const __m256i swap = _mm256_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15, 0, 2,
                                        1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
  for (std::int64_t panel = 0; panel < panels; ++panel) {
    const auto* block = reinterpret_cast<const __m256i*>(from + panel * panel_stride);
    auto* turned = reinterpret_cast<__m256i*>(to + panel * kInt8PanelColumns * kInt8PanelColumns);
    __m256i rows[8];
    for (int i = 0; i < 8; ++i) {
      rows[i] = _mm256_shuffle_epi8(_mm256_loadu_si256(block + i), swap);
    }
    transpose_8x8(rows);
    for (int i = 0; i < 8; ++i) {
      _mm256_storeu_si256(turned + i, rows[i]);
    }
  }
}

}  // namespace

void turn_packed(Int8TurnPanel turn, const std::int8_t* b, std::int64_t depth, std::int64_t columns,
                 std::int64_t panel, std::int8_t* to) {
  constexpr std::int64_t kPairBytes = 2 * kInt8PanelColumns;
  const std::int64_t all_pairs = int8_padded_depth(depth) / 2;
  const std::int64_t sources = int8_panels(columns);
  const std::int64_t first_pair = panel * kInt8PanelColumns / 2;
  const std::int64_t stride = all_pairs * kPairBytes;
  const std::int8_t* from = b + first_pair * kPairBytes;
  const std::int64_t pairs = std::min<std::int64_t>(8, all_pairs - first_pair);
  if (pairs == 8) {
    turn(from, stride, sources, to);
    return;
  }
  std::int8_t whole[kInt8PanelColumns * kInt8PanelColumns] = {};
  for (std::int64_t source = 0; source < sources; ++source) {
    std::copy_n(from + source * stride, pairs * kPairBytes, whole);
    turn(whole, 0, 1, to + source * kInt8PanelColumns * kInt8PanelColumns);
  }
}

const Int8Kernel& int8_kernel(Int8Level level) {
  static const Int8Kernel baseline{
      kPairTileRows,       1,       false,  tile_baseline, store_baseline,
      turn_panel_baseline, nullptr, nullptr};
  static const Int8Kernel avx2{kPairTileRows,   1,       false,  tile_avx2, store_avx2,
                               turn_panel_avx2, nullptr, nullptr};
  static const Int8Kernel vnni{kVnniRows,       2,       true,   tile_vnni, store_avx512,
                               turn_panel_avx2, nullptr, nullptr};
  static const Int8Kernel amx{32,        2,        true, tile_amx, store_avx512, turn_panel_avx2,
                              enter_amx, leave_amx};
  switch (level) {
    case Int8Level::kAmx:
      return amx;
    case Int8Level::kVnni:
      return vnni;
    case Int8Level::kAvx2:
      return avx2;
    case Int8Level::kBaseline:
      break;
  }
  return baseline;
}

}  // namespace rallrec::kernels::detail
