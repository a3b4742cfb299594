#include "kernels/add_rows.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/add_rows_gpu.h"

namespace rallrec::kernels {
namespace {

// Values of a row that stay in the first-level cache while all additions pass by.
constexpr std::int64_t kBlock = 2048;

void add_columns(const RowAddition* additions, std::int64_t count, std::int64_t width,
                 std::int64_t begin, std::int64_t end, float* values) {
  for (std::int64_t a = 0; a < count; ++a) {
    float* into = values + additions[a].into * width;
    const float* from = values + additions[a].from * width;
    for (std::int64_t i = begin; i < end; ++i) {
      into[i] += from[i];
    }
  }
}

}  // namespace

void add_rows(const Queue& queue, const RowAddition* additions, std::int64_t count,
              std::int64_t width, float* values) {
  RALLREC_CHECK(count >= 0 && width >= 0, "add_rows: negative size");
  if (count == 0 || width == 0) {
    return;
  }
  RALLREC_CHECK(additions != nullptr && values != nullptr, "add_rows: null input");
  if (queue.device == Device::kCuda) {
    detail::add_rows_gpu(queue, additions, count, width, values);
    return;
  }
  parallel_for((width + kBlock - 1) / kBlock, 2, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      add_columns(additions, count, width, block * kBlock, std::min((block + 1) * kBlock, width),
                  values);
    }
  });
}

}  // namespace rallrec::kernels
