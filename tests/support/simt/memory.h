#pragma once

#include <cstddef>
#include <string>

namespace rallrec::simt {

enum class MemoryKind { kDevice, kPinned };

// Memory of exactly `bytes`, aligned to 256, filled with 0xFF; null where the device's memory would
// be exceeded. Device memory may be touched by the device alone: in ASan builds the host that does
// ends with ASan's report (use-after-poison).
void* allocate(MemoryKind kind, std::size_t bytes);

// False where `memory` is not the start of a live allocation of that kind.
bool release(MemoryKind kind, void* memory);

// Whether [address, address + bytes) lies within one live allocation of that kind.
bool within(MemoryKind kind, const void* address, std::size_t bytes);

// The live allocation of that kind in which `address` lies.
bool find_allocation(MemoryKind kind, const void* address, const char*& begin, const char*& end);

// Opens and closes device memory around an operation of the device or a copy by a host. Openings
// are counted: memory is closed when the last has ended.
void unlock_device_memory();
void lock_device_memory();

struct MemoryState {
  std::size_t free;
  std::size_t total;
};
MemoryState memory_state();
// How much memory the device pretends to have.
void set_device_memory(std::size_t bytes);

// What is alive, in words; empty where nothing is. Releases it.
std::string drop_allocations();

}  // namespace rallrec::simt
