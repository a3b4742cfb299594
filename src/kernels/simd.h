#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/cpu_level.h"

namespace rallrec::kernels {

// Eight values in registers. Unlike Float8 of vector_types.h, which may alias anything in memory,
// arrays of them stay in registers throughout a loop; memory is reached by load_lanes and
// store_lanes alone. Never passed or returned by value: that would tie the ABI to AVX.
using FloatLanes [[gnu::vector_size(32)]] = float;
using IntLanes [[gnu::vector_size(32)]] = std::int32_t;
// Sixteen, for code of AVX-512 alone.
using WideLanes [[gnu::vector_size(64)]] = float;

template <typename Lanes>
constexpr std::int64_t kLanesOf = sizeof(Lanes) / sizeof(float);

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

// The same for a Body that is a template over its lanes: eight of them, or sixteen with AVX-512.
template <template <typename Lanes> class Body, typename... Arguments>
void run_best_lanes(Arguments... arguments) {
  using Function = void (*)(Arguments...);
  const Function chosen = choose_by_cpu<Function>(&run_baseline<Body<FloatLanes>, Arguments...>,
                                                  &run_avx2<Body<FloatLanes>, Arguments...>,
                                                  &run_avx512<Body<WideLanes>, Arguments...>);
  chosen(arguments...);
}

template <typename Lanes>
[[gnu::always_inline]] inline void load_lanes(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof(to));
}

template <typename Lanes>
[[gnu::always_inline]] inline void store_lanes(const Lanes& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}

template <typename Lanes>
[[gnu::always_inline]] inline void magnitude(Lanes& x) {
  decltype(x < x) bits;
  std::memcpy(&bits, &x, sizeof(bits));
  bits &= 0x7FFFFFFF;
  std::memcpy(&x, &bits, sizeof(bits));
}

// 0, 1, 2, …
[[gnu::always_inline]] inline void lane_numbers(FloatLanes& to) {
  to = FloatLanes{0, 1, 2, 3, 4, 5, 6, 7};
}
[[gnu::always_inline]] inline void lane_numbers(WideLanes& to) {
  to = WideLanes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
}

// Loads count floats, fewer than there are lanes, and fills the rest with `fill`.
template <typename Lanes>
[[gnu::always_inline]] inline void load_part(const float* from, std::int64_t count, float fill,
                                             Lanes& to) {
  for (int i = 0; i < kLanesOf<Lanes>; ++i) {
    to[i] = i < count ? from[i] : fill;
  }
}

// The same where all lanes are readable.
template <typename Lanes>
[[gnu::always_inline]] inline void load_first(const float* from, std::int64_t count, float fill,
                                              Lanes& to) {
  load_lanes(from, to);
  Lanes place;
  lane_numbers(place);
  to = place < static_cast<float>(count) ? to : Lanes{} + fill;
}

// Makes the lanes from `count` on 0.
template <typename Lanes>
[[gnu::always_inline]] inline void keep_first(std::int64_t count, Lanes& x) {
  Lanes place;
  lane_numbers(place);
  x = place < static_cast<float>(count) ? x : Lanes{};
}

template <typename Lanes>
[[gnu::always_inline]] inline void store_part(const Lanes& from, std::int64_t count, float* to) {
  for (int i = 0; i < count; ++i) {
    to[i] = from[i];
  }
}

// The last lanes of a loop that counts down to `count`, which may be all of them.
template <typename Lanes>
[[gnu::always_inline]] inline void load_up_to(const float* from, std::int64_t count, Lanes& to) {
  if (count >= kLanesOf<Lanes>) {
    load_lanes(from, to);
  } else {
    load_part(from, count, 0.0F, to);
  }
}

template <typename Lanes>
[[gnu::always_inline]] inline void store_up_to(const Lanes& from, std::int64_t count, float* to) {
  if (count >= kLanesOf<Lanes>) {
    store_lanes(from, to);
  } else {
    store_part(from, count, to);
  }
}

// Sum over lanes in a fixed pairwise order.
[[gnu::always_inline]] inline float sum_lanes(const FloatLanes& x) {
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}
[[gnu::always_inline]] inline float sum_lanes(const WideLanes& x) {
  FloatLanes halves[2];
  std::memcpy(halves, &x, sizeof(halves));
  return sum_lanes(halves[0] + halves[1]);
}

[[gnu::always_inline]] inline float largest_lane(const FloatLanes& x) {
  FloatLanes most = x;
  for (int distance = 4; distance > 0; distance /= 2) {
    for (int lane = 0; lane < distance; ++lane) {
      most[lane] = most[lane + distance] > most[lane] ? most[lane + distance] : most[lane];
    }
  }
  return most[0];
}
[[gnu::always_inline]] inline float largest_lane(const WideLanes& x) {
  FloatLanes halves[2];
  std::memcpy(halves, &x, sizeof(halves));
  return largest_lane(halves[0] > halves[1] ? halves[0] : halves[1]);
}

// Sum of x[i] · y[i], as many partial sums as lanes and a tail.
template <typename Lanes = FloatLanes>
[[gnu::always_inline]] inline float dot(const float* x, const float* y, std::int64_t count) {
  Lanes sums{};
  std::int64_t i = 0;
  for (; i + kLanesOf<Lanes> <= count; i += kLanesOf<Lanes>) {
    Lanes a;
    Lanes b;
    load_lanes(x + i, a);
    load_lanes(y + i, b);
    sums += a * b;
  }
  float sum = sum_lanes(sums);
  for (; i < count; ++i) {
    sum += x[i] * y[i];
  }
  return sum;
}

// Largest of count > 0 values.
template <typename Lanes = FloatLanes>
[[gnu::always_inline]] inline float largest_of(const float* x, std::int64_t count) {
  float largest = x[0];
  std::int64_t i = 0;
  if (count >= kLanesOf<Lanes>) {
    Lanes most;
    load_lanes(x, most);
    for (i = kLanesOf<Lanes>; i + kLanesOf<Lanes> <= count; i += kLanesOf<Lanes>) {
      Lanes next;
      load_lanes(x + i, next);
      most = next > most ? next : most;
    }
    largest = largest_lane(most);
  }
  for (; i < count; ++i) {
    largest = x[i] > largest ? x[i] : largest;
  }
  return largest;
}

// x = e^x, relative error below 3e-7 for x in [-87, 88]; arguments beyond are clamped. Cody-Waite
// reduction to [-ln2/2, ln2/2], then the degree-6 Taylor polynomial.
template <typename Lanes>
[[gnu::always_inline]] inline void exp_lanes(Lanes& x) {
  using Integers = decltype(x < x);
  constexpr float kRoundToInteger = 12582912.0F;  // 1.5 · 2^23: adding it leaves no fraction bits
  x = x > 88.0F ? Lanes{} + 88.0F : x;
  x = x < -87.0F ? Lanes{} - 87.0F : x;
  const Lanes shifted = x * 1.44269504088896F + kRoundToInteger;
  const Lanes n = shifted - kRoundToInteger;
  Lanes r = x - n * 0.693359375F;
  r = r + n * 2.12194440e-4F;
  Lanes p = r * (1.0F / 720.0F) + (1.0F / 120.0F);
  p = p * r + (1.0F / 24.0F);
  p = p * r + (1.0F / 6.0F);
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  Integers bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits - 0x4B400000 + 127) << 23;
  Lanes power;
  std::memcpy(&power, &bits, sizeof(power));
  x = p * power;
}

}  // namespace rallrec::kernels
