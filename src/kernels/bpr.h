#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// Bayesian personalised ranking (Rendle et al., UAI 2009): for each triple of a user, an item the
// user chose and one the user did not, loss = -log sigmoid(margin), margin = <e_user, e_pos -
// e_neg>.

// `count` triples; all three arrays hold rows of one embedding matrix.
struct BprBatch {
  const std::int32_t* users = nullptr;
  const std::int32_t* positives = nullptr;
  const std::int32_t* negatives = nullptr;
  std::int64_t count = 0;
};

// margins[b] for each triple; fp32 [count]. embeddings: fp32 [any, width], row-major.
void bpr_margins(const Queue& queue, const float* embeddings, std::int64_t width,
                 const BprBatch& batch, float* margins);

// sum over triples of -log sigmoid(margin), in triple order, in double. Host memory.
double bpr_loss_sum(const float* margins, std::int64_t count);

// slopes[b] = weight * d(-log sigmoid(m)) / dm = -weight * sigmoid(-m). May be in place;
// host memory.
void bpr_slopes(const float* margins, std::int64_t count, float weight, float* slopes);

// Margins, loss and slopes in one pass over the embeddings: slopes[b] as above, and *loss_sum, one
// double where the other arrays are. On a GPU losses are fp32 and summed in double in an order of
// its own. 12 bytes of indices and 12 * width of rows per triple, 4 * width + 20 flops.
void bpr_loss(const Queue& queue, const float* embeddings, std::int64_t width,
              const BprBatch& batch, float weight, float* slopes, double* loss_sum);

// Adds the gradient of sum_b slopes-weighted margins to rows [row_begin, row_end) of the matrix:
//   e_user += s (e_pos - e_neg),  e_pos += s e_user,  e_neg -= s e_user.
// gradient: fp32 [row_end - row_begin, width]. Each row adds its triples in ascending order, user
// before positive before negative, so its bits depend neither on the range nor on threads.
void bpr_add_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                      const BprBatch& batch, const float* slopes, std::int64_t row_begin,
                      std::int64_t row_end, float* gradient);

// Euclidean norms of the three matrices [count, width] that the triples gather, users, positives
// and negatives; a row that occurs twice counts twice. norms: fp64 [3], where the other arrays are.
void bpr_norms(const Queue& queue, const float* embeddings, std::int64_t width,
               const BprBatch& batch, double* norms);

// Adds weight times the gradient of the sum of those norms: weight / norms[role] * e_row once per
// occurrence of a row in that role, nothing where the norm is 0. Rows, order and layout as in
// bpr_add_gradient.
void bpr_add_norm_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                           const BprBatch& batch, double weight, const double* norms,
                           std::int64_t row_begin, std::int64_t row_end, float* gradient);

void bpr_margins_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                     float* margins);
void bpr_add_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                          const float* slopes, std::int64_t row_begin, std::int64_t row_end,
                          float* gradient);
void bpr_norms_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                   double* norms);
void bpr_add_norm_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                               double weight, const double* norms, std::int64_t row_begin,
                               std::int64_t row_end, float* gradient);

}  // namespace rallrec::kernels
