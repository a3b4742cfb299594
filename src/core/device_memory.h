#pragma once

#include <cstddef>

#include "core/device.h"

namespace rallrec {

// Memory of a queue's device: of the GPU of its stream, or the host's (64-byte aligned) for a CPU
// queue. device_array.h is its owner; these are the calls beneath. A build without CUDA throws
// Error (usage) for a CUDA queue.

// Uninitialised; nullptr for 0 bytes. `setting` is named where memory runs out.
void* allocate_memory(const Queue& queue, std::size_t bytes, const char* setting);
// Waits for the device on a GPU. Never throws.
void release_memory(const Queue& queue, void* memory) noexcept;

// In the order of the queue. From copy_to_device the host gets its memory back when the call
// returns, copy_to_host blocks it until the bytes are there, and the others only enqueue. The two
// sides must not overlap.
void copy_to_device(const Queue& queue, void* device, const void* host, std::size_t bytes);
void copy_to_host(const Queue& queue, void* host, const void* device, std::size_t bytes);
void copy_on_device(const Queue& queue, void* to, const void* from, std::size_t bytes);
void clear_on_device(const Queue& queue, void* memory, std::size_t bytes);

}  // namespace rallrec
