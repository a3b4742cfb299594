#include "tests/support/simt/nccl_reduction.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <type_traits>

namespace rallrec::simt {
namespace {

constexpr std::size_t kRun = 64;

template <typename Value>
Value combined(Value a, Value b, ncclRedOp_t op) {
  if constexpr (std::is_floating_point_v<Value>) {
    return op == ncclSum ? a + b : op == ncclMax ? std::fmax(a, b) : std::fmin(a, b);
  } else {
    using Unsigned = std::make_unsigned_t<Value>;
    return op == ncclSum   ? static_cast<Value>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b))
           : op == ncclMax ? std::max(a, b)
                           : std::min(a, b);
  }
}

template <typename Value>
void reduce_run(const std::vector<Bytes>& inputs, const std::vector<std::size_t>& order,
                std::size_t first, std::size_t last, ncclRedOp_t op, Bytes& output) {
  for (std::size_t at = first; at < last; at += sizeof(Value)) {
    Value result;
    std::memcpy(&result, &inputs[order[0]][at], sizeof(Value));
    for (std::size_t i = 1; i < order.size(); ++i) {
      Value next;
      std::memcpy(&next, &inputs[order[i]][at], sizeof(Value));
      result = combined(result, next, op);
    }
    std::memcpy(&output[at], &result, sizeof(Value));
  }
}

template <typename Value>
Bytes reduce_typed(const std::vector<Bytes>& inputs, ncclRedOp_t op, Random& random) {
  Bytes output(inputs[0].size());
  std::vector<std::size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t first = 0; first < output.size(); first += kRun * sizeof(Value)) {
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random.below(i)]);
    }
    reduce_run<Value>(inputs, order, first, std::min(first + kRun * sizeof(Value), output.size()),
                      op, output);
  }
  return output;
}

}  // namespace

Bytes reduce_in_some_order(const std::vector<Bytes>& inputs, ncclDataType_t type, ncclRedOp_t op,
                           Random& random) {
  if (op != ncclSum && op != ncclMin && op != ncclMax) {
    return {};
  }
  switch (type) {
    case ncclUint8:
      return reduce_typed<std::uint8_t>(inputs, op, random);
    case ncclInt32:
      return reduce_typed<std::int32_t>(inputs, op, random);
    case ncclInt64:
      return reduce_typed<std::int64_t>(inputs, op, random);
    case ncclFloat32:
      return reduce_typed<float>(inputs, op, random);
    case ncclFloat64:
      return reduce_typed<double>(inputs, op, random);
    default:
      return {};
  }
}

}  // namespace rallrec::simt
