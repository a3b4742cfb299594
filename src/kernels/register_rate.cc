#include "kernels/register_rate.h"

#include <immintrin.h>

#include "kernels/cpu_level.h"
#include "kernels/int8_level.h"

namespace rallrec::kernels {
namespace {

using Lanes8 [[gnu::vector_size(32)]] = float;
using Lanes16 [[gnu::vector_size(64)]] = float;

// Two units with a latency of up to five cycles need ten chains.
constexpr int kChains = 10;
// As many as int8_matmul's tile has.
constexpr int kPairChains = 8;
// Two units with a latency of up to five cycles, and two more to spare.
constexpr int kVnniChains = 12;

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

// In assembly, since compilers keep copies of the sums in memory. Whatever numbers the registers
// hold, integers take the same time.
[[gnu::target("avx2")]] double int8_avx2(std::int64_t rounds) {
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile(
        "vpmaddwd %%ymm15, %%ymm15, %%ymm8\n\t"
        "vpaddd %%ymm8, %%ymm0, %%ymm0\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm9\n\t"
        "vpaddd %%ymm9, %%ymm1, %%ymm1\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm10\n\t"
        "vpaddd %%ymm10, %%ymm2, %%ymm2\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm11\n\t"
        "vpaddd %%ymm11, %%ymm3, %%ymm3\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm12\n\t"
        "vpaddd %%ymm12, %%ymm4, %%ymm4\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm13\n\t"
        "vpaddd %%ymm13, %%ymm5, %%ymm5\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm14\n\t"
        "vpaddd %%ymm14, %%ymm6, %%ymm6\n\t"
        "vpmaddwd %%ymm15, %%ymm15, %%ymm8\n\t"
        "vpaddd %%ymm8, %%ymm7, %%ymm7\n\t"
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
          "xmm11", "xmm12", "xmm13", "xmm14");
  }
  _mm256_zeroupper();
  return 2.0 * kPairChains * 16 * static_cast<double>(rounds);
}

// As int8_avx2.
[[gnu::target("avx512f,avx512vnni")]] double int8_vnni(std::int64_t rounds) {
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile(
        "vpdpbusd %%zmm15, %%zmm15, %%zmm0\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm1\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm2\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm3\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm4\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm5\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm6\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm7\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm8\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm9\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm10\n\t"
        "vpdpbusd %%zmm15, %%zmm15, %%zmm11\n\t"
        :
        :
        : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
          "xmm11", "xmm15");
  }
  _mm256_zeroupper();
  return 2.0 * kVnniChains * 64 * static_cast<double>(rounds);
}

}  // namespace

double run_fp32_registers(std::int64_t rounds) {
  return choose_by_cpu<double (*)(std::int64_t)>(&fp32_baseline, &fp32_avx2, &fp32_avx512)(rounds);
}

double run_int8_registers(std::int64_t rounds) {
  switch (int8_level()) {
    case Int8Level::kVnni:
      return int8_vnni(rounds);
    case Int8Level::kAvx2:
      return int8_avx2(rounds);
    case Int8Level::kAmx:
    case Int8Level::kBaseline:
      break;
  }
  return 0.0;
}

}  // namespace rallrec::kernels
