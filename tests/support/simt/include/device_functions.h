#pragma once

// The stand-in for what CUDA builds into device code.
#include <math.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "simt_types.h"
#include "tests/support/simt/builtins.h"
#include "tests/support/simt/device_side.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(bytes) __attribute__((aligned(bytes)))
// One block runs at a time, on the device's thread, whose thread-local storage this is.
#define __shared__ static thread_local

constexpr int warpSize = 32;

using std::max;
using std::min;

inline void __syncthreads(int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  rallrec::simt::block_barrier(rallrec::simt::BarrierResult::kNone, 0, {file, line});
}
inline int __syncthreads_count(int predicate, int line = __builtin_LINE(),
                               const char* file = __builtin_FILE()) {
  return rallrec::simt::block_barrier(rallrec::simt::BarrierResult::kCount, predicate,
                                      {file, line});
}
inline int __syncthreads_and(int predicate, int line = __builtin_LINE(),
                             const char* file = __builtin_FILE()) {
  return rallrec::simt::block_barrier(rallrec::simt::BarrierResult::kAnd, predicate, {file, line});
}
inline int __syncthreads_or(int predicate, int line = __builtin_LINE(),
                            const char* file = __builtin_FILE()) {
  return rallrec::simt::block_barrier(rallrec::simt::BarrierResult::kOr, predicate, {file, line});
}

inline void __syncwarp(unsigned mask = 0xFFFFFFFFU, int line = __builtin_LINE(),
                       const char* file = __builtin_FILE()) {
  rallrec::simt::WarpRequest request{
      "__syncwarp", mask, {file, line}, &rallrec::simt::complete_sync};
  rallrec::simt::warp_operation(request);
}

namespace rallrec::simt {

template <typename Value>
Value shuffle(const char* name, unsigned mask, Value value, int source, Site site) {
  Value result{};
  WarpRequest request{name, mask, site, &complete_shuffle, &value, &result, sizeof(Value), source};
  warp_operation(request);
  return result;
}

inline unsigned ballot(const char* name, unsigned mask, int predicate, Site site) {
  unsigned result = 0;
  WarpRequest request{name, mask, site, &complete_ballot, &predicate, &result, sizeof(int)};
  warp_operation(request);
  return result;
}

}  // namespace rallrec::simt

template <typename Value>
Value __shfl_sync(unsigned mask, Value value, int source, int width = 32,
                  int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  const int lane = static_cast<int>(rallrec::simt::lane_number());
  const int from = (lane & ~(width - 1)) | (source & (width - 1));
  return rallrec::simt::shuffle("__shfl_sync", mask, value, from, {file, line});
}
template <typename Value>
Value __shfl_xor_sync(unsigned mask, Value value, int lane_mask, int width = 32,
                      int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  const int lane = static_cast<int>(rallrec::simt::lane_number());
  const int from = lane ^ lane_mask;
  const bool inside = from < (lane & ~(width - 1)) + width;
  return rallrec::simt::shuffle("__shfl_xor_sync", mask, value, inside ? from : lane, {file, line});
}
template <typename Value>
Value __shfl_up_sync(unsigned mask, Value value, unsigned delta, int width = 32,
                     int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  const int lane = static_cast<int>(rallrec::simt::lane_number());
  const int from = lane - static_cast<int>(delta);
  const bool inside = from >= (lane & ~(width - 1));
  return rallrec::simt::shuffle("__shfl_up_sync", mask, value, inside ? from : lane, {file, line});
}
template <typename Value>
Value __shfl_down_sync(unsigned mask, Value value, unsigned delta, int width = 32,
                       int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  const int lane = static_cast<int>(rallrec::simt::lane_number());
  const int from = lane + static_cast<int>(delta);
  const bool inside = from < (lane & ~(width - 1)) + width;
  return rallrec::simt::shuffle("__shfl_down_sync", mask, value, inside ? from : lane,
                                {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                              const char* file = __builtin_FILE()) {
  return rallrec::simt::ballot("__ballot_sync", mask, predicate, {file, line});
}
inline int __any_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE()) {
  return rallrec::simt::ballot("__any_sync", mask, predicate, {file, line}) != 0 ? 1 : 0;
}
inline int __all_sync(unsigned mask, int predicate, int line = __builtin_LINE(),
                      const char* file = __builtin_FILE()) {
  return rallrec::simt::ballot("__all_sync", mask, predicate, {file, line}) == mask ? 1 : 0;
}

template <typename Value>
Value atomicAdd(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kAdd, address, value);
}
template <typename Value>
Value atomicMin(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kMin, address, value);
}
template <typename Value>
Value atomicMax(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kMax, address, value);
}
template <typename Value>
Value atomicAnd(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kAnd, address, value);
}
template <typename Value>
Value atomicOr(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kOr, address, value);
}
template <typename Value>
Value atomicXor(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kXor, address, value);
}
template <typename Value>
Value atomicExch(Value* address, Value value) {
  return rallrec::simt::atomic_update(rallrec::simt::AtomicOperation::kExchange, address, value);
}
template <typename Value>
Value atomicCAS(Value* address, Value expected, Value desired) {
  return rallrec::simt::atomic_compare_and_swap(address, expected, desired);
}
inline void __threadfence() {}
inline void __threadfence_block() {}
[[noreturn]] inline void __trap() { rallrec::simt::fail_kernel("calls __trap"); }

template <typename Value>
Value __ldg(const Value* address) {
  return *address;
}
template <typename Value>
Value __ldcs(const Value* address) {
  return *address;
}
template <typename Value>
void __stcs(Value* address, Value value) {
  *address = value;
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((std::uint64_t{a} * b) >> 32);
}
// Byte i of the result is byte (selector >> 4i) & 7 of y:x.
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const std::uint64_t bytes = std::uint64_t{y} << 32 | x;
  unsigned result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned from = selector >> (4 * i) & 7U;
    result |= static_cast<unsigned>(bytes >> (8 * from) & 0xFFU) << (8 * i);
  }
  return result;
}
inline float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
inline unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
inline float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
inline int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
inline int __float2int_rn(float x) { return static_cast<int>(std::nearbyint(x)); }
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1.0F / x; }
inline int __dp4a(int a, int b, int sum) {
  for (int i = 0; i < 4; ++i) {
    sum += static_cast<signed char>(a >> (8 * i)) * static_cast<signed char>(b >> (8 * i));
  }
  return sum;
}
