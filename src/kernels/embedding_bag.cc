#include "kernels/embedding_bag.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/embedding_bag_cpu.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kBagsPerThread = 256;

bool has_values(const BagShape& shape) {
  RALLREC_CHECK(shape.bags >= 0 && shape.columns >= 0, "embedding_bag: negative size");
  RALLREC_CHECK(shape.stride >= shape.columns, "embedding_bag: the stride is below the columns");
  return shape.bags > 0 && shape.columns > 0;
}

}  // namespace

void embedding_bag(const Queue& queue, const BagShape& shape, const Bags& bags, const float* table,
                   float* y) {
  if (!has_values(shape)) {
    return;
  }
  require_cpu(queue, "embedding_bag");
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

}  // namespace rallrec::kernels
