#include "tests/support/simt/shared_memory.h"

#include <link.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "tests/support/simt/device_side.h"

namespace rallrec::simt {
namespace {

constexpr int kPoison = 0xFF;
constexpr std::size_t kAlignment = 128;

struct Dynamic {
  void* memory = nullptr;
  std::size_t bytes = 0;
};

Dynamic& dynamic() {
  static Dynamic memory;
  return memory;
}

// Stops at the first object, which is the program itself.
int find_thread_storage(dl_phdr_info* info, std::size_t, void* result) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type == PT_TLS) {
      *static_cast<RaceDetector::Region*>(result) = {static_cast<const char*>(info->dlpi_tls_data),
                                                     info->dlpi_phdr[i].p_memsz};
    }
  }
  return 1;
}

// A fresh block each time: its addresses change, and what ran off the last one is found.
void renew_dynamic(std::size_t bytes) {
  std::free(dynamic().memory);
  dynamic() = {nullptr, bytes};
  if (bytes > 0 && posix_memalign(&dynamic().memory, kAlignment, bytes) != 0) {
    throw std::bad_alloc();
  }
}

void fill(const RaceDetector::Region& region) {
  if (region.bytes > 0) {
    std::memset(const_cast<char*>(region.begin), kPoison, region.bytes);
  }
}

}  // namespace

RaceDetector::Region static_shared_memory() {
  static const RaceDetector::Region region = [] {
    RaceDetector::Region found;
    dl_iterate_phdr(&find_thread_storage, &found);
    return found;
  }();
  return region;
}

RaceDetector::Region dynamic_shared_region() {
  return {static_cast<const char*>(dynamic().memory), dynamic().bytes};
}

void poison_shared_memory(std::size_t dynamic_bytes) {
  renew_dynamic(dynamic_bytes);
  fill(dynamic_shared_region());
  fill(static_shared_memory());
}

void* dynamic_shared_memory() { return dynamic().memory; }

}  // namespace rallrec::simt
