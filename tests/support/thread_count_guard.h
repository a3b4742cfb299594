#pragma once

#include "core/parallel_for.h"

namespace rallrec::testing {

// Sets the number of compute threads while it lives.
class ThreadCountGuard {
 public:
  explicit ThreadCountGuard(int threads) : before_(thread_count()) { set_thread_count(threads); }
  ~ThreadCountGuard() { set_thread_count(before_); }
  ThreadCountGuard(const ThreadCountGuard&) = delete;
  ThreadCountGuard& operator=(const ThreadCountGuard&) = delete;

 private:
  int before_;
};

}  // namespace rallrec::testing
