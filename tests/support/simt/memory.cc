#include "tests/support/simt/memory.h"

#include <sanitizer/asan_interface.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

namespace rallrec::simt {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kDefaultMemory = std::size_t{4} << 30;

struct Allocation {
  std::size_t bytes;
  MemoryKind kind;
};

struct Registry {
  std::mutex mutex;
  std::map<const char*, Allocation> allocations;
  std::size_t total = kDefaultMemory;
  std::size_t used = 0;
  int openings = 0;  // of the device's thread and of hosts that copy
};

Registry& registry() {
  static auto& shared = *new Registry;
  return shared;
}

void set_access(bool open) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  registry().openings += open ? 1 : -1;
  if (registry().openings != (open ? 1 : 0)) {
    return;
  }
  for (const auto& [address, allocation] : registry().allocations) {
    if (allocation.kind == MemoryKind::kDevice && open) {
      __asan_unpoison_memory_region(address, allocation.bytes);
    } else if (allocation.kind == MemoryKind::kDevice) {
      __asan_poison_memory_region(address, allocation.bytes);
    }
  }
}

void release_memory(const char* address, const Allocation& allocation) {
  __asan_unpoison_memory_region(address, allocation.bytes);
  std::free(const_cast<char*>(address));
}

}  // namespace

void* allocate(MemoryKind kind, std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  Registry& all = registry();
  if (kind == MemoryKind::kDevice && bytes > all.total - all.used) {
    return nullptr;
  }
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes) != 0) {
    return nullptr;
  }
  std::memset(memory, 0xFF, bytes);
  all.allocations[static_cast<const char*>(memory)] = {bytes, kind};
  if (kind == MemoryKind::kDevice) {
    all.used += bytes;
    if (all.openings == 0) {
      __asan_poison_memory_region(memory, bytes);
    }
  }
  return memory;
}

bool release(MemoryKind kind, void* memory) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  Registry& all = registry();
  const auto found = all.allocations.find(static_cast<const char*>(memory));
  if (found == all.allocations.end() || found->second.kind != kind) {
    return false;
  }
  all.used -= kind == MemoryKind::kDevice ? found->second.bytes : 0;
  release_memory(found->first, found->second);
  all.allocations.erase(found);
  return true;
}

bool find_allocation(MemoryKind kind, const void* address, const char*& begin, const char*& end) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  auto after = registry().allocations.upper_bound(static_cast<const char*>(address));
  if (after == registry().allocations.begin()) {
    return false;
  }
  const auto& [start, allocation] = *--after;
  begin = start;
  end = start + allocation.bytes;
  return allocation.kind == kind && address < end;
}

bool within(MemoryKind kind, const void* address, std::size_t bytes) {
  const char* begin = nullptr;
  const char* end = nullptr;
  return find_allocation(kind, address, begin, end) &&
         bytes <= static_cast<std::size_t>(end - static_cast<const char*>(address));
}

void unlock_device_memory() { set_access(true); }

void lock_device_memory() { set_access(false); }

MemoryState memory_state() {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  return {registry().total - registry().used, registry().total};
}

void set_device_memory(std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  registry().total = bytes;
}

std::string drop_allocations() {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  std::size_t device = 0;
  std::size_t pinned = 0;
  for (const auto& [address, allocation] : registry().allocations) {
    (allocation.kind == MemoryKind::kDevice ? device : pinned) += 1;
    release_memory(address, allocation);
  }
  registry().allocations.clear();
  registry().used = 0;
  return (device > 0 ? std::to_string(device) + " device buffers " : "") +
         (pinned > 0 ? std::to_string(pinned) + " pinned buffers " : "");
}

}  // namespace rallrec::simt
