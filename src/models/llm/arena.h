#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "core/rows.h"

namespace rallrec::models::llm {

// Memory of a queue's device for activations that is asked of the system once and used again: fresh
// pages cost a tenth of a layer's time, and a GPU waits where memory is released. What is taken
// comes off a stack of slabs; `release` gives back all that came after a mark, and work of the
// queue that still uses it is done before that of whoever takes it next. Not thread-safe.
class Arena {
 public:
  struct Mark {
    std::size_t slab = 0;
    std::int64_t used = 0;
  };

  explicit Arena(const Queue& queue = {}) : queue_(queue) {}

  const Queue& queue() const { return queue_; }
  // Uninitialised, 64-byte aligned.
  Rows floats(std::int64_t rows, std::int64_t columns);
  // The same of any type that needs no more alignment.
  template <typename Value>
  Value* array(std::int64_t count) {
    return reinterpret_cast<Value*>(take(count * static_cast<std::int64_t>(sizeof(Value))));
  }

  Mark mark() const { return {slab_, used_}; }
  void release(const Mark& mark);
  // Bytes held, used or not.
  std::int64_t capacity() const;

 private:
  std::byte* take(std::int64_t bytes);

  Queue queue_;
  std::vector<DeviceArray<std::byte>> slabs_;
  std::size_t slab_ = 0;   // the one being filled
  std::int64_t used_ = 0;  // bytes of it
};

// Releases on leaving the scope what was taken inside.
class ArenaScope {
 public:
  explicit ArenaScope(Arena& arena) : arena_(arena), mark_(arena.mark()) {}
  ~ArenaScope() { arena_.release(mark_); }
  ArenaScope(const ArenaScope&) = delete;
  ArenaScope& operator=(const ArenaScope&) = delete;

 private:
  Arena& arena_;
  Arena::Mark mark_;
};

}  // namespace rallrec::models::llm
