#pragma once

#include <cuda_runtime.h>

#include <cstddef>

// Kernels that are wrong in one way each, and a few that are right. All run as one block of 64
// threads on float buffers of 64 values.
namespace rallrec::simt::broken {

constexpr int kThreads = 64;

// Whether these kernels were compiled with every access announced.
bool accesses_are_watched();

// Right: y[i] = x[63 - i], by way of shared memory.
void reverse(cudaStream_t stream, const float* x, float* y);
// Right: y[i] = value.
void fill(cudaStream_t stream, float value, float* y);
// Right: y[i] = x[i] + 1.
void add_one(cudaStream_t stream, const float* x, float* y);

void missing_barrier(cudaStream_t stream, const float* x, float* y);
void missing_second_barrier(cudaStream_t stream, const float* x, float* y);
void missing_warp_barrier(cudaStream_t stream, const float* x, float* y);
void plain_beside_atomic(cudaStream_t stream, float* y);
void barrier_for_half(cudaStream_t stream);
void barrier_on_two_lines(cudaStream_t stream, float* y);
void mask_without_itself(cudaStream_t stream, float* y);
void mask_of_absent_lanes(cudaStream_t stream, float* y);
void masks_that_differ(cudaStream_t stream, float* y);
void shuffle_from_outside_the_mask(cudaStream_t stream, float* y);
void unwritten_shared(cudaStream_t stream, float* y);
void beyond_dynamic_shared(cudaStream_t stream);
void beyond_static_shared(cudaStream_t stream, int where, float* y);
void copy_without_wait(cudaStream_t stream, const float* x, float* y);
void copy_left_open(cudaStream_t stream, const float* x);
void copy_not_aligned(cudaStream_t stream, const float* x);
void beyond_global(cudaStream_t stream, float* y);
// Two blocks; each adds to the same 64 values, with atomics or without.
void two_blocks(cudaStream_t stream, bool atomics, float* y);
void trap(cudaStream_t stream);
void with_block_of(cudaStream_t stream, unsigned threads);
void with_shared_of(cudaStream_t stream, std::size_t bytes);

}  // namespace rallrec::simt::broken
