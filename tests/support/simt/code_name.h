#pragma once

#include <string>

namespace rallrec::simt {

// "function file:line" of an instruction, as far as the debug information goes.
std::string code_name(const void* code);

// The function's name alone.
std::string function_name(const void* function);

}  // namespace rallrec::simt
