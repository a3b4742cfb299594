#include "kernels/embedding_gather.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/embedding_gather_cpu.h"
#include "kernels/embedding_gather_gpu.h"

namespace rallrec::kernels {

void embedding_gather(const Queue& queue, TableType type, const void* table, std::int64_t rows,
                      std::int64_t columns, const std::int64_t* ids, std::int64_t count, float* y) {
  if (queue.device == Device::kCuda) {
    detail::embedding_gather_gpu(queue, type, table, rows, columns, ids, count, y);
    return;
  }
  RALLREC_CHECK(
      std::all_of(ids, ids + count, [rows](std::int64_t id) { return id >= 0 && id < rows; }),
      "embedding_gather: an id is not a row of the table");
  parallel_for(count, 64, [&](std::int64_t begin, std::int64_t end) {
    if (type == TableType::kFloat32) {
      detail::gather_float32_cpu(static_cast<const float*>(table), columns, ids, begin, end, y);
    } else {
      detail::gather_bfloat16_cpu(static_cast<const std::uint16_t*>(table), columns, ids, begin,
                                  end, y);
    }
  });
}

}  // namespace rallrec::kernels
