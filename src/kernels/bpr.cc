#include "kernels/bpr.h"

#include <cmath>

#include "core/check.h"
#include "kernels/bpr_gpu.h"

namespace rallrec::kernels {
namespace {

void check_triples(std::int64_t width, const BprBatch& batch) {
  RALLREC_CHECK(batch.count >= 0 && width >= 0, "bpr: negative size");
  RALLREC_CHECK(batch.count == 0 || (batch.users != nullptr && batch.positives != nullptr &&
                                     batch.negatives != nullptr),
                "bpr: null input");
}

void check_batch(const float* embeddings, std::int64_t width, const BprBatch& batch) {
  check_triples(width, batch);
  RALLREC_CHECK(batch.count == 0 || embeddings != nullptr, "bpr: null input");
}

// A rank that holds no rows has none to read.
void check_range(const float* embeddings, std::int64_t begin, std::int64_t end) {
  RALLREC_CHECK(begin >= end || embeddings != nullptr, "bpr: null input");
}

void check_targets(const BprBatch& batch, const BprTargets& targets) {
  RALLREC_CHECK(targets.rows.count == batch.count, "bpr: as many targets as triples");
}

}  // namespace

void bpr_margins(const Queue& queue, const float* embeddings, std::int64_t width,
                 const BprBatch& batch, float* margins) {
  check_batch(embeddings, width, batch);
  if (queue.device == Device::kCuda) {
    detail::bpr_margins_gpu(queue, embeddings, width, batch, margins);
  } else {
    bpr_margins_cpu(embeddings, width, batch, margins);
  }
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

void bpr_loss(const Queue& queue, const float* embeddings, std::int64_t width,
              const BprBatch& batch, float weight, float* slopes, double* loss_sum) {
  check_batch(embeddings, width, batch);
  if (queue.device == Device::kCuda) {
    detail::bpr_loss_gpu(queue, embeddings, width, batch, weight, slopes, loss_sum);
    return;
  }
  bpr_margins_cpu(embeddings, width, batch, slopes);
  *loss_sum = bpr_loss_sum(slopes, batch.count);
  bpr_slopes(slopes, batch.count, weight, slopes);
}

void bpr_add_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                      const BprBatch& batch, const float* slopes, const BprTargets& targets,
                      float* gradient) {
  check_batch(embeddings, width, batch);
  check_targets(batch, targets);
  if (queue.device == Device::kCuda) {
    detail::bpr_add_gradient_gpu(queue, embeddings, width, batch, slopes, targets, gradient);
  } else {
    bpr_add_gradient_cpu(embeddings, width, batch, slopes, targets, gradient);
  }
}

void bpr_squares(const Queue& queue, const float* embeddings, std::int64_t width,
                 const BprBatch& batch, std::int64_t begin, std::int64_t end, float* squares) {
  check_triples(width, batch);
  check_range(embeddings, begin, end);
  if (queue.device == Device::kCuda) {
    detail::bpr_squares_gpu(queue, embeddings, width, batch, begin, end, squares);
  } else {
    bpr_squares_cpu(embeddings, width, batch, begin, end, squares);
  }
}

void bpr_norms(const Queue& queue, const float* squares, std::int64_t count, double* norms) {
  RALLREC_CHECK(count == 0 || squares != nullptr, "bpr_norms: null input");
  if (queue.device == Device::kCuda) {
    detail::bpr_norms_gpu(queue, squares, count, norms);
  } else {
    bpr_norms_cpu(squares, count, norms);
  }
}

void bpr_add_norm_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                           const BprBatch& batch, double weight, const double* norms,
                           const BprTargets& targets, float* gradient) {
  check_triples(width, batch);
  check_targets(batch, targets);
  check_range(embeddings, targets.begin, targets.end);
  if (queue.device == Device::kCuda) {
    detail::bpr_add_norm_gradient_gpu(queue, embeddings, width, batch, weight, norms, targets,
                                      gradient);
  } else {
    bpr_add_norm_gradient_cpu(embeddings, width, batch, weight, norms, targets, gradient);
  }
}

}  // namespace rallrec::kernels
