#include "kernels/embedding_bag.h"

#include <numeric>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/embedding_bag_cpu.h"
#include "kernels/embedding_bag_gpu.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kBagsPerThread = 256;

bool has_values(const BagShape& shape) {
  RALLREC_CHECK(shape.bags >= 0 && shape.columns >= 0, "embedding_bag: negative size");
  RALLREC_CHECK(shape.stride >= shape.columns && shape.to_next() >= shape.columns,
                "embedding_bag: a stride is below the columns");
  return shape.bags > 0 && shape.columns > 0;
}

}  // namespace

void embedding_bag(const Queue& queue, const BagShape& shape, const Bags& bags, const float* table,
                   float* y) {
  if (!has_values(shape)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::embedding_bag_gpu(queue, shape, bags, table, y);
    return;
  }
  parallel_for(shape.bags, kBagsPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::embedding_bag_cpu(shape, bags, table, y, begin, end);
  });
}

void embedding_bag_backward(const Queue& queue, const BagShape& shape, const Bags& bags,
                            const float* dy, float* dtable) {
  if (!has_values(shape)) {
    return;
  }
  require_cpu(queue, "embedding_bag_backward");
  detail::embedding_bag_backward_cpu(shape, bags, dy, dtable);
}

TurnedBags turned_bags(std::int64_t bags, const Bags& of, std::int64_t rows) {
  const auto entries = static_cast<std::size_t>(of.offsets[bags]);
  TurnedBags turned;
  turned.offsets.resize(static_cast<std::size_t>(rows) + 1);
  for (std::size_t e = 0; e < entries; ++e) {
    ++turned.offsets[static_cast<std::size_t>(of.ids[e]) + 1];
  }
  std::partial_sum(turned.offsets.begin(), turned.offsets.end(), turned.offsets.begin());
  std::vector<std::int64_t> next(turned.offsets.begin(), turned.offsets.end() - 1);
  turned.ids.resize(entries);
  turned.weights.resize(entries);
  for (std::int64_t bag = 0; bag < bags; ++bag) {
    for (std::int64_t e = of.offsets[bag]; e < of.offsets[bag + 1]; ++e) {
      const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(of.ids[e])]++);
      turned.ids[to] = static_cast<std::int32_t>(bag);
      turned.weights[to] = of.weights[e];
    }
  }
  return turned;
}

}  // namespace rallrec::kernels
