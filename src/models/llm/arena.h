#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace rallrec::models::llm {

// Memory for activations that is asked of the system once and used again: fresh pages cost a tenth
// of a layer's time. Tensors come off a stack of slabs; `release` gives back all that came after a
// mark. A tensor taken from an arena must not be used after its release. Not thread-safe.
class Arena {
 public:
  struct Mark {
    std::size_t slab = 0;
    std::int64_t used = 0;
  };

  // Uninitialised fp32 [rows, columns], 64-byte aligned.
  at::Tensor floats(std::int64_t rows, std::int64_t columns);
  // Uninitialised uint8 [rows, columns].
  at::Tensor bytes(std::int64_t rows, std::int64_t columns);

  Mark mark() const { return {slab_, used_}; }
  void release(const Mark& mark);
  // Bytes held, used or not.
  std::int64_t capacity() const;

 private:
  at::Tensor take(std::int64_t bytes);

  std::vector<at::Tensor> slabs_;  // uint8
  std::size_t slab_ = 0;           // the one being filled
  std::int64_t used_ = 0;          // bytes of it
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
