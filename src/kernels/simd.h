#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu_level.h"

namespace rallrec::kernels {

// Eight values in registers. Unlike Float8 of vector_types.h, which may alias anything in memory,
// arrays of them stay in registers throughout a loop; memory is reached by load8 and store8 alone.
// Never passed or returned by value: that would tie the ABI to AVX.
using FloatLanes [[gnu::vector_size(32)]] = float;
using IntLanes [[gnu::vector_size(32)]] = std::int32_t;

template <typename Body, typename... Arguments>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void run_avx512(
    Arguments... arguments) {
  Body::run(arguments...);
}

template <typename Body, typename... Arguments>
[[gnu::target("avx2,fma")]] void run_avx2(Arguments... arguments) {
  Body::run(arguments...);
}

template <typename Body, typename... Arguments>
void run_baseline(Arguments... arguments) {
  Body::run(arguments...);
}

// Calls Body::run(arguments...) compiled for the best instructions this CPU has. Body::run and all
// it calls must be always_inline, or it runs as baseline code.
template <typename Body, typename... Arguments>
void run_best(Arguments... arguments) {
  using Function = void (*)(Arguments...);
  const Function chosen =
      choose_by_cpu<Function>(&run_baseline<Body, Arguments...>, &run_avx2<Body, Arguments...>,
                              &run_avx512<Body, Arguments...>);
  chosen(arguments...);
}

[[gnu::always_inline]] inline void load8(const float* from, FloatLanes& to) {
  std::memcpy(&to, from, sizeof(to));
}

[[gnu::always_inline]] inline void store8(const FloatLanes& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}

// Loads count < 8 floats and fills the rest with `fill`.
[[gnu::always_inline]] inline void load_part(const float* from, std::int64_t count, float fill,
                                             FloatLanes& to) {
  for (int i = 0; i < 8; ++i) {
    to[i] = i < count ? from[i] : fill;
  }
}

[[gnu::always_inline]] inline void store_part(const FloatLanes& from, std::int64_t count,
                                              float* to) {
  for (int i = 0; i < count; ++i) {
    to[i] = from[i];
  }
}

// Sum over lanes in a fixed pairwise order.
[[gnu::always_inline]] inline float sum8(const FloatLanes& x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// Sum of x[i] · y[i], eight partial sums and a tail.
[[gnu::always_inline]] inline float dot(const float* x, const float* y, std::int64_t count) {
  FloatLanes sums{};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    FloatLanes a;
    FloatLanes b;
    load8(x + i, a);
    load8(y + i, b);
    sums += a * b;
  }
  float sum = sum8(sums);
  for (; i < count; ++i) {
    sum += x[i] * y[i];
  }
  return sum;
}

// Largest of count > 0 values.
[[gnu::always_inline]] inline float largest_of(const float* x, std::int64_t count) {
  float largest = x[0];
  std::int64_t i = 0;
  if (count >= 8) {
    FloatLanes most;
    load8(x, most);
    for (i = 8; i + 8 <= count; i += 8) {
      FloatLanes next;
      load8(x + i, next);
      most = next > most ? next : most;
    }
    for (int lane = 0; lane < 8; ++lane) {
      largest = most[lane] > largest ? most[lane] : largest;
    }
  }
  for (; i < count; ++i) {
    largest = x[i] > largest ? x[i] : largest;
  }
  return largest;
}

// x = e^x, relative error below 3e-7 for x in [-87, 88]; arguments beyond are clamped. Cody-Waite
// reduction to [-ln2/2, ln2/2], then the degree-6 Taylor polynomial.
[[gnu::always_inline]] inline void exp8(FloatLanes& x) {
  constexpr float kRoundToInteger = 12582912.0F;  // 1.5 · 2^23: adding it leaves no fraction bits
  x = x > 88.0F ? FloatLanes{} + 88.0F : x;
  x = x < -87.0F ? FloatLanes{} - 87.0F : x;
  const FloatLanes shifted = x * 1.44269504088896F + kRoundToInteger;
  const FloatLanes n = shifted - kRoundToInteger;
  FloatLanes r = x - n * 0.693359375F;
  r = r + n * 2.12194440e-4F;
  FloatLanes p = r * (1.0F / 720.0F) + (1.0F / 120.0F);
  p = p * r + (1.0F / 24.0F);
  p = p * r + (1.0F / 6.0F);
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  IntLanes bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits - 0x4B400000 + 127) << 23;
  FloatLanes power;
  std::memcpy(&power, &bits, sizeof(power));
  x = p * power;
}

}  // namespace rallrec::kernels
