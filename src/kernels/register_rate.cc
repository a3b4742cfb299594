#include "kernels/register_rate.h"

#include <immintrin.h>

#include "kernels/cpu_level.h"
#include "kernels/int8_level.h"

namespace rallrec::kernels {
namespace {

using Lanes8 [[gnu::vector_size(32)]] = float;
using Lanes16 [[gnu::vector_size(64)]] = float;

// Two units with a latency of up to five cycles need ten chains. A pair product and its sum take
// six cycles, but with more chains than this the compiler runs out of registers.
constexpr int kChains = 10;

// x = x · factor + summand: nothing in it can be taken out of the loop.
template <typename Lanes>
[[gnu::always_inline]] inline double fp32_loop(std::int64_t rounds) {
  constexpr int kLanes = sizeof(Lanes) / sizeof(float);
  Lanes starts[kChains] = {};
  Lanes factor = Lanes{} + 0.5F;
  Lanes summand = Lanes{} + 1.0F;
  // The compiler must take them for unknown numbers, or it runs one chain for all.
  asm volatile("" : "+m"(starts), "+m"(factor), "+m"(summand));
  Lanes sums[kChains];
#pragma GCC unroll 10
  for (int i = 0; i < kChains; ++i) {
    sums[i] = starts[i];
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 10
    for (Lanes& sum : sums) {
      sum = sum * factor + summand;
    }
  }
  Lanes total{};
#pragma GCC unroll 10
  for (const Lanes& sum : sums) {
    total += sum;
  }
  asm volatile("" : "+m"(total));
  return 2.0 * kChains * kLanes * static_cast<double>(rounds);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] double fp32_avx512(
    std::int64_t rounds) {
  return fp32_loop<Lanes16>(rounds);
}
[[gnu::target("avx2,fma")]] double fp32_avx2(std::int64_t rounds) {
  return fp32_loop<Lanes8>(rounds);
}
double fp32_baseline(std::int64_t rounds) { return fp32_loop<Lanes8>(rounds); }

[[gnu::target("avx2")]] double int8_avx2(std::int64_t rounds) {
  __m256i starts[kChains] = {};
  __m256i factor = _mm256_set1_epi16(3);
  asm volatile("" : "+m"(starts), "+m"(factor));
  __m256i sums[kChains];
#pragma GCC unroll 10
  for (int i = 0; i < kChains; ++i) {
    sums[i] = starts[i];
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 10
    for (__m256i& sum : sums) {
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(sum, factor));
    }
  }
  __m256i total = _mm256_setzero_si256();
#pragma GCC unroll 10
  for (const __m256i& sum : sums) {
    total = _mm256_add_epi32(total, sum);
  }
  asm volatile("" : "+m"(total));
  return 2.0 * kChains * 16 * static_cast<double>(rounds);
}

}  // namespace

double run_fp32_registers(std::int64_t rounds) {
  return choose_by_cpu<double (*)(std::int64_t)>(&fp32_baseline, &fp32_avx2, &fp32_avx512)(rounds);
}

double run_int8_registers(std::int64_t rounds) {
  return int8_level() == Int8Level::kAvx2 ? int8_avx2(rounds) : 0.0;
}

}  // namespace rallrec::kernels
