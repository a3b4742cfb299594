#include "kernels/bpr.h"

#include <cmath>

#include "core/check.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {
namespace {

void check_batch(const Queue& queue, const float* embeddings, std::int64_t width,
                 const BprBatch& batch) {
  RALLREC_CHECK(batch.count >= 0 && width >= 0, "bpr: negative size");
  RALLREC_CHECK(batch.count == 0 || (embeddings != nullptr && batch.users != nullptr &&
                                     batch.positives != nullptr && batch.negatives != nullptr),
                "bpr: null input");
  require_cpu(queue, "bpr");
}

}  // namespace

void bpr_margins(const Queue& queue, const float* embeddings, std::int64_t width,
                 const BprBatch& batch, float* margins) {
  check_batch(queue, embeddings, width, batch);
  bpr_margins_cpu(embeddings, width, batch, margins);
}

double bpr_loss_sum(const float* margins, std::int64_t count) {
  double sum = 0.0;
  for (std::int64_t b = 0; b < count; ++b) {
    const double m = margins[b];
    // log(1 + e^-m) without overflow at either end.
    sum += std::log1p(std::exp(-std::fabs(m))) + (m < 0.0 ? -m : 0.0);
  }
  return sum;
}

void bpr_slopes(const float* margins, std::int64_t count, float weight, float* slopes) {
  for (std::int64_t b = 0; b < count; ++b) {
    slopes[b] = -weight / (1.0f + std::exp(margins[b]));
  }
}

void bpr_add_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                      const BprBatch& batch, const float* slopes, std::int64_t row_begin,
                      std::int64_t row_end, float* gradient) {
  check_batch(queue, embeddings, width, batch);
  bpr_add_gradient_cpu(embeddings, width, batch, slopes, row_begin, row_end, gradient);
}

BprRoles bpr_norms(const Queue& queue, const float* embeddings, std::int64_t width,
                   const BprBatch& batch) {
  check_batch(queue, embeddings, width, batch);
  return bpr_norms_cpu(embeddings, width, batch);
}

void bpr_add_norm_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                           const BprBatch& batch, const BprRoles& scale, std::int64_t row_begin,
                           std::int64_t row_end, float* gradient) {
  check_batch(queue, embeddings, width, batch);
  bpr_add_norm_gradient_cpu(embeddings, width, batch, scale, row_begin, row_end, gradient);
}

}  // namespace rallrec::kernels
