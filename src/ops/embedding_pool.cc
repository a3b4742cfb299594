#include "ops/embedding_pool.h"

#include "core/check.h"
#include "ops/tensor_rows.h"

namespace rallrec::ops {

at::Tensor embedding_pool(const at::Tensor& x, const std::vector<std::int64_t>& offsets,
                          kernels::Pooling pooling) {
  RALLREC_CHECK(!offsets.empty() && offsets.back() == x.size(0),
                "embedding_pool: the offsets do not cover the rows");
  const auto sequences = static_cast<std::int64_t>(offsets.size()) - 1;
  at::Tensor y = at::empty({sequences, x.size(1)}, x.options());
  kernels::embedding_pool({}, pooling, sequences, offsets.data(), x.size(1), rows_of(x).data,
                          rows_of(y).data);
  return y;
}

}  // namespace rallrec::ops
