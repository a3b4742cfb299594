#pragma once

#include <cstdint>
#include <functional>

namespace rallrec::pipeline {

// Peak resident bytes of `work` in a process of its own, above what that process held before it.
// The child is a fork of this process, calls `prepare` (inputs) before its baseline is taken, and
// ends without running destructors. Neither may communicate. Only to be called before this process
// has run anything on several threads, whose pool a fork does not inherit. Throws Error (kInternal)
// where the child fails or is killed.
std::int64_t child_peak_bytes(const std::function<void()>& prepare,
                              const std::function<void()>& work);

}  // namespace rallrec::pipeline
