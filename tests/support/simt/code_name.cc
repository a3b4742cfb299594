#include "tests/support/simt/code_name.h"

#include <sanitizer/common_interface_defs.h>

#include <array>

namespace rallrec::simt {
namespace {

std::string symbolized(const void* code, const char* format) {
  std::array<char, 512> text{};
  __sanitizer_symbolize_pc(const_cast<void*>(code), format, text.data(), text.size());
  return text.data();
}

}  // namespace

std::string code_name(const void* code) { return symbolized(code, "%f %S"); }

std::string function_name(const void* function) {
  // The symbolizer takes a return address and looks at the byte before it.
  return symbolized(static_cast<const char*>(function) + 1, "%f");
}

}  // namespace rallrec::simt
