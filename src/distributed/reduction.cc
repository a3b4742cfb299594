#include "distributed/reduction.h"

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace rallrec::distributed {
namespace {

template <typename T>
T add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    // Signed overflow is undefined; going through unsigned makes it wrap.
    using Unsigned = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
  } else {
    return a + b;
  }
}

template <typename T>
void reduce_typed(void* accumulator, const void* value, std::size_t count, ReduceOp op) {
  T* a = static_cast<T*>(accumulator);
  const T* b = static_cast<const T*>(value);
  switch (op) {
    case ReduceOp::kSum:
      for (std::size_t i = 0; i < count; ++i) {
        a[i] = add(a[i], b[i]);
      }
      break;
    case ReduceOp::kMin:
      for (std::size_t i = 0; i < count; ++i) {
        a[i] = (b[i] < a[i] || b[i] != b[i]) ? b[i] : a[i];
      }
      break;
    case ReduceOp::kMax:
      for (std::size_t i = 0; i < count; ++i) {
        a[i] = (b[i] > a[i] || b[i] != b[i]) ? b[i] : a[i];
      }
      break;
  }
}

}  // namespace

void reduce_into(void* accumulator, const void* value, std::size_t count, DType dtype,
                 ReduceOp op) {
  switch (dtype) {
    case DType::kUInt8:
      return reduce_typed<std::uint8_t>(accumulator, value, count, op);
    case DType::kInt32:
      return reduce_typed<std::int32_t>(accumulator, value, count, op);
    case DType::kInt64:
      return reduce_typed<std::int64_t>(accumulator, value, count, op);
    case DType::kFloat32:
      return reduce_typed<float>(accumulator, value, count, op);
    case DType::kFloat64:
      return reduce_typed<double>(accumulator, value, count, op);
  }
}

void reduce_pieces(void* output, const void* pieces, int parts, std::size_t count, DType dtype,
                   ReduceOp op) {
  const std::size_t bytes = count * size_of(dtype);
  if (bytes == 0) {
    return;
  }
  const auto* piece = static_cast<const unsigned char*>(pieces);
  std::memcpy(output, piece, bytes);
  for (int part = 1; part < parts; ++part) {
    piece += bytes;
    reduce_into(output, piece, count, dtype, op);
  }
}

}  // namespace rallrec::distributed
