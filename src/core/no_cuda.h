#pragma once

#include <string>

#include "core/error.h"

namespace rallrec {

// What a build without CUDA does in place of `what`: throws Error (usage) that names it and the
// cure.
[[noreturn]] inline void throw_no_cuda(const std::string& what) {
  throw_usage(what +
              ": this build has no CUDA; configure with the cuda preset, or choose --device cpu");
}

}  // namespace rallrec
