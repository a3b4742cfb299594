#include "kernels/int8_matmul_cpu.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu_level.h"
#include "kernels/int8_matmul.h"

namespace rallrec::kernels::detail {
namespace {

void tile_baseline(int rows, std::int64_t pairs, const std::int16_t* a, std::int64_t a_stride,
                   const std::int8_t* panel, std::int32_t* sums) {
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

// AVX2 has no exact int8 × int8 product, but its int16 pair product (vpmaddwd) is exact and does
// twice the multiply-adds of an fp32 FMA: B is widened as it is loaded. Named accumulators, not an
// array: the compiler keeps an array's copy in memory. Missing rows repeat the last one and are not
// used.
[[gnu::target("avx2")]] void tile_avx2(int rows, std::int64_t pairs, const std::int16_t* a,
                                       std::int64_t a_stride, const std::int8_t* panel,
                                       std::int32_t* sums) {
  const std::int16_t* a1 = rows > 1 ? a + a_stride : a;
  const std::int16_t* a2 = rows > 2 ? a1 + a_stride : a1;
  const std::int16_t* a3 = rows > 3 ? a2 + a_stride : a2;
  const Sums zero = _mm256_setzero_si256();
  Sums low0 = zero, high0 = zero, low1 = zero, high1 = zero;
  Sums low2 = zero, high2 = zero, low3 = zero, high3 = zero;
  for (std::int64_t p = 0; p < pairs; ++p) {
    const auto* b = reinterpret_cast<const __m128i*>(panel + p * 2 * kInt8PanelColumns);
    const Sums b0 = _mm256_cvtepi8_epi16(_mm_loadu_si128(b));
    const Sums b1 = _mm256_cvtepi8_epi16(_mm_loadu_si128(b + 1));
    add_products(a + 2 * p, b0, b1, low0, high0);
    add_products(a1 + 2 * p, b0, b1, low1, high1);
    add_products(a2 + 2 * p, b0, b1, low2, high2);
    add_products(a3 + 2 * p, b0, b1, low3, high3);
  }
  store_sums(low0, high0, sums);
  store_sums(low1, high1, sums + kInt8PanelColumns);
  store_sums(low2, high2, sums + 2 * kInt8PanelColumns);
  store_sums(low3, high3, sums + 3 * kInt8PanelColumns);
}

}  // namespace

Int8Tile int8_tile() { return choose_by_cpu<Int8Tile>(tile_baseline, tile_avx2, tile_avx2); }

}  // namespace rallrec::kernels::detail
