// Atomics and asynchronous copies of the thread that runs, and the calls that -fsanitize=thread
// puts before every access of a kernel of a watched build.
#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "tests/support/simt/device_side.h"
#include "tests/support/simt/running_block.h"

namespace rallrec::simt {
namespace {

template <typename Value>
Value updated(AtomicOperation operation, Value old, Value value) {
  if constexpr (std::is_integral_v<Value>) {
    switch (operation) {
      case AtomicOperation::kAnd:
        return old & value;
      case AtomicOperation::kOr:
        return old | value;
      case AtomicOperation::kXor:
        return old ^ value;
      default:
        break;
    }
  }
  switch (operation) {
    case AtomicOperation::kAdd:
      return old + value;
    case AtomicOperation::kMin:
      return std::min(old, value);
    case AtomicOperation::kMax:
      return std::max(old, value);
    default:
      return value;
  }
}

void complete_copy(const PendingCopy& copy) {
  std::memcpy(copy.to, copy.from, static_cast<std::size_t>(copy.valid));
  std::memset(static_cast<char*>(copy.to) + copy.valid, 0,
              static_cast<std::size_t>(copy.bytes - copy.valid));
  running_block().note(copy.to, static_cast<std::size_t>(copy.bytes), Access::kWrite,
                       reinterpret_cast<const void*>(&complete_copy));
}

}  // namespace

template <typename Value>
__attribute__((no_sanitize("signed-integer-overflow"))) Value atomic_update(
    AtomicOperation operation, Value* address, Value value) {
  running_block().note(address, sizeof(Value), Access::kAtomic, __builtin_return_address(0));
  const Value old = *address;
  *address = updated(operation, old, value);
  return old;
}

template <typename Value>
Value atomic_compare_and_swap(Value* address, Value expected, Value desired) {
  running_block().note(address, sizeof(Value), Access::kAtomic, __builtin_return_address(0));
  const Value old = *address;
  if (old == expected) {
    *address = desired;
  }
  return old;
}

template int atomic_update(AtomicOperation, int*, int);
template unsigned atomic_update(AtomicOperation, unsigned*, unsigned);
template unsigned long long atomic_update(AtomicOperation, unsigned long long*, unsigned long long);
template float atomic_update(AtomicOperation, float*, float);
template double atomic_update(AtomicOperation, double*, double);
template int atomic_compare_and_swap(int*, int, int);
template unsigned atomic_compare_and_swap(unsigned*, unsigned, unsigned);
template unsigned long long atomic_compare_and_swap(unsigned long long*, unsigned long long,
                                                    unsigned long long);

void copy_async(void* shared, const void* global, int bytes, int valid) {
  if (reinterpret_cast<std::uintptr_t>(shared) % static_cast<unsigned>(bytes) != 0 ||
      reinterpret_cast<std::uintptr_t>(global) % static_cast<unsigned>(bytes) != 0) {
    fail_kernel("starts an asynchronous copy between addresses that are not aligned to its size");
  }
  running_block().current().copies.push_back({shared, global, bytes, valid});
}

void copy_async_commit() {
  BlockThread& thread = running_block().current();
  thread.groups.push_back(std::exchange(thread.copies, {}));
}

void copy_async_wait(int groups_left) {
  BlockThread& thread = running_block().current();
  while (thread.groups.size() > static_cast<std::size_t>(groups_left)) {
    const auto group = std::exchange(thread.groups.front(), {});
    thread.groups.pop_front();
    std::for_each(group.begin(), group.end(), &complete_copy);
  }
}

}  // namespace rallrec::simt

using rallrec::simt::Access;

namespace {

void note(const void* address, std::size_t bytes, Access access, const void* code) {
  rallrec::simt::running_block().note(address, bytes, access, code);
}

}  // namespace

extern "C" {

void __tsan_init() { rallrec::simt::running_block().see_all_accesses(); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

void __tsan_read1(void* at) { note(at, 1, Access::kRead, __builtin_return_address(0)); }
void __tsan_read2(void* at) { note(at, 2, Access::kRead, __builtin_return_address(0)); }
void __tsan_read4(void* at) { note(at, 4, Access::kRead, __builtin_return_address(0)); }
void __tsan_read8(void* at) { note(at, 8, Access::kRead, __builtin_return_address(0)); }
void __tsan_read16(void* at) { note(at, 16, Access::kRead, __builtin_return_address(0)); }
void __tsan_write1(void* at) { note(at, 1, Access::kWrite, __builtin_return_address(0)); }
void __tsan_write2(void* at) { note(at, 2, Access::kWrite, __builtin_return_address(0)); }
void __tsan_write4(void* at) { note(at, 4, Access::kWrite, __builtin_return_address(0)); }
void __tsan_write8(void* at) { note(at, 8, Access::kWrite, __builtin_return_address(0)); }
void __tsan_write16(void* at) { note(at, 16, Access::kWrite, __builtin_return_address(0)); }
void __tsan_unaligned_read2(void* at) { note(at, 2, Access::kRead, __builtin_return_address(0)); }
void __tsan_unaligned_read4(void* at) { note(at, 4, Access::kRead, __builtin_return_address(0)); }
void __tsan_unaligned_read8(void* at) { note(at, 8, Access::kRead, __builtin_return_address(0)); }
void __tsan_unaligned_read16(void* at) { note(at, 16, Access::kRead, __builtin_return_address(0)); }
void __tsan_unaligned_write2(void* at) { note(at, 2, Access::kWrite, __builtin_return_address(0)); }
void __tsan_unaligned_write4(void* at) { note(at, 4, Access::kWrite, __builtin_return_address(0)); }
void __tsan_unaligned_write8(void* at) { note(at, 8, Access::kWrite, __builtin_return_address(0)); }
void __tsan_unaligned_write16(void* at) {
  note(at, 16, Access::kWrite, __builtin_return_address(0));
}
void __tsan_read_range(void* at, std::size_t bytes) {
  note(at, bytes, Access::kRead, __builtin_return_address(0));
}
void __tsan_write_range(void* at, std::size_t bytes) {
  note(at, bytes, Access::kWrite, __builtin_return_address(0));
}

}  // extern "C"
