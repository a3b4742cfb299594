#include "io/tensor_type.h"

#include <cstring>
#include <iterator>

#include "core/check.h"

namespace rallrec::io {
namespace {

struct Entry {
  const char* name;
  std::size_t size;
};
// In the order of the enumeration.
constexpr Entry kEntries[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"I16", 2}, {"F16", 2},
                              {"BF16", 2}, {"I32", 4}, {"F32", 4}, {"F64", 8}, {"I64", 8}};

const Entry& entry(TensorType type) { return kEntries[static_cast<std::size_t>(type)]; }

float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// IEEE 754 binary16. Subnormals are a 10-bit integer times 2^-24, which fp32 holds exactly.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000) << 16;
  const std::uint32_t exponent = half >> 10 & 31;
  const std::uint32_t mantissa = half & 1023;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return from_bits(sign | wide << 23 | mantissa << 13);
}

float bfloat_to_float(std::uint16_t bits) {
  return from_bits(static_cast<std::uint32_t>(bits) << 16);
}

template <float (*kWiden)(std::uint16_t)>
void widen(const char* bytes, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes + 2 * i, sizeof(bits));
    out[i] = kWiden(bits);
  }
}

}  // namespace

std::size_t size_of(TensorType type) { return entry(type).size; }
const char* name_of(TensorType type) { return entry(type).name; }

bool parse_tensor_type(std::string_view name, TensorType* type) {
  for (std::size_t i = 0; i < std::size(kEntries); ++i) {
    if (name == kEntries[i].name) {
      *type = static_cast<TensorType>(i);
      return true;
    }
  }
  return false;
}

void widen_to_float(TensorType type, const void* values, std::size_t count, float* out) {
  const char* const bytes = static_cast<const char*>(values);
  if (type == TensorType::kBf16) {
    widen<bfloat_to_float>(bytes, count, out);
  } else if (type == TensorType::kF16) {
    widen<half_to_float>(bytes, count, out);
  } else {
    RALLREC_CHECK(type == TensorType::kF32, std::string(name_of(type)) + " is not widened to fp32");
    if (count > 0) {
      std::memcpy(out, bytes, count * sizeof(float));
    }
  }
}

}  // namespace rallrec::io
