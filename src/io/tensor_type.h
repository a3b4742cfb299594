#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rallrec::io {

// Element types of safetensors files that are read and written, in the order that writers sort by.
enum class TensorType { kBool, kU8, kI8, kI16, kF16, kBf16, kI32, kF32, kF64, kI64 };

std::size_t size_of(TensorType type);
// "F32", "BF16", …
const char* name_of(TensorType type);
// False where the name is not known.
bool parse_tensor_type(std::string_view name, TensorType* type);

// Widens `count` values of F32, F16 or BF16 to fp32, exactly. Other types are a broken
// precondition. `values` need not be aligned and must not overlap `out`.
void widen_to_float(TensorType type, const void* values, std::size_t count, float* out);

}  // namespace rallrec::io
