#pragma once

#include <cstddef>

#include "core/device.h"

namespace rallrec::detail {

// The GPU column of device_memory.h; sizes are not 0. Throws where the build has no CUDA.
void* allocate_gpu(std::size_t bytes, const char* setting);
void release_gpu(void* memory) noexcept;
void copy_to_gpu(const Queue& queue, void* device, const void* host, std::size_t bytes);
void copy_from_gpu(const Queue& queue, void* host, const void* device, std::size_t bytes);
void copy_on_gpu(const Queue& queue, void* to, const void* from, std::size_t bytes);
void clear_gpu(const Queue& queue, void* memory, std::size_t bytes);
// Of page-locked memory that is kept for copies; 0 where no array is alive.
std::size_t pinned_bytes();

}  // namespace rallrec::detail
