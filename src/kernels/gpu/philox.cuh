#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace rallrec::kernels::gpu {

// philox4x32 of core/rng.h for device code; the same words.
__device__ inline uint4 philox4x32(std::uint64_t key, uint4 c) {
  auto key0 = static_cast<unsigned>(key);
  auto key1 = static_cast<unsigned>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c.x;
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c.z;
    c = make_uint4(static_cast<unsigned>(p1 >> 32) ^ c.y ^ key0, static_cast<unsigned>(p1),
                   static_cast<unsigned>(p0 >> 32) ^ c.w ^ key1, static_cast<unsigned>(p0));
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return c;
}

}  // namespace rallrec::kernels::gpu
