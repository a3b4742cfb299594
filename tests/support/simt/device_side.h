#pragma once

#include <cstddef>
#include <cstdint>

// What the stand-in's device functions (include/device_functions.h) call. Only for code that runs
// inside a kernel.
namespace rallrec::simt {

// A line of a kernel.
struct Site {
  const char* file;
  int line;
};

enum class BarrierResult { kNone, kCount, kAnd, kOr };

// __syncthreads and its siblings. All threads of the block must come, on the same line.
int block_barrier(BarrierResult result, int predicate, Site site);

// One lane's part of an operation in which the lanes of a mask take part. The last lane to come
// completes it for all.
struct WarpRequest {
  using Complete = void (*)(WarpRequest* const* lanes, unsigned mask);
  const char* name;
  unsigned mask;
  Site site;
  Complete complete;
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t bytes = 0;
  int source = 0;  // of a shuffle: the lane that is read
};

void warp_operation(WarpRequest& request);

// output = input of lane `source`, `bytes` long.
void complete_shuffle(WarpRequest* const* lanes, unsigned mask);
// unsigned output = the lanes whose int input is not 0.
void complete_ballot(WarpRequest* const* lanes, unsigned mask);
// Nothing but the meeting; orders the lanes' accesses to memory.
void complete_sync(WarpRequest* const* lanes, unsigned mask);

// This thread's place in its warp.
unsigned lane_number();

enum class AtomicOperation { kAdd, kMin, kMax, kAnd, kOr, kXor, kExchange };

// The old value. Value: int, unsigned, unsigned long long, float (kAdd and kExchange), double
// (likewise).
template <typename Value>
Value atomic_update(AtomicOperation operation, Value* address, Value value);
template <typename Value>
Value atomic_compare_and_swap(Value* address, Value expected, Value desired);

// The block's dynamic shared memory.
void* dynamic_shared_memory();

// cp.async: the copy is done, byte for byte, no earlier than the wait that asks for it, so what is
// read too early is poison. Bytes from `valid` to `bytes` become 0.
void copy_async(void* shared, const void* global, int bytes, int valid);
void copy_async_commit();
void copy_async_wait(int groups_left);

// Reports `text` with the kernel's and the thread's name and ends the kernel.
[[noreturn]] void fail_kernel(const char* text);

// An access to memory by this thread that no instrumentation sees.
void note_read(const void* address, std::size_t bytes);

}  // namespace rallrec::simt
