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

// Where the gradients of a batch's rows go: those of role r of triple b to row rows.<r>[b] of a
// matrix, of which `gradient` holds rows [begin, end). Rows outside, such as -1, are passed over.
// Where the gradient has the rows of the embeddings, `rows` is the batch itself.
struct BprTargets {
  BprBatch rows;
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Adds the gradient of sum_b slopes-weighted margins:
//   e_user += s (e_pos - e_neg),  e_pos += s e_user,  e_neg -= s e_user.
// gradient: fp32 [end - begin, width]. Each row adds its triples in ascending order, user before
// positive before negative, so its bits depend neither on the range nor on threads.
void bpr_add_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                      const BprBatch& batch, const float* slopes, const BprTargets& targets,
                      float* gradient);

// squares[role * count + b] = |e|^2 of the row of that role in triple b where begin <= row < end,
// else 0 bits: ranks with disjoint ranges add theirs up as integers. fp32 [3, count].
void bpr_squares(const Queue& queue, const float* embeddings, std::int64_t width,
                 const BprBatch& batch, std::int64_t begin, std::int64_t end, float* squares);

// Euclidean norms of the three matrices [count, width] that the triples gather, users, positives
// and negatives, from those squares, summed in double; a row that occurs twice counts twice.
// norms: fp64 [3], where the other arrays are.
void bpr_norms(const Queue& queue, const float* squares, std::int64_t count, double* norms);

// Adds weight times the gradient of the sum of those norms: weight / norms[role] * e_row once per
// occurrence of a row in that role, nothing where the norm is 0. Only embeddings of rows with a
// target are read. Order and layout as in bpr_add_gradient.
void bpr_add_norm_gradient(const Queue& queue, const float* embeddings, std::int64_t width,
                           const BprBatch& batch, double weight, const double* norms,
                           const BprTargets& targets, float* gradient);

void bpr_margins_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                     float* margins);
void bpr_add_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                          const float* slopes, const BprTargets& targets, float* gradient);
void bpr_squares_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                     std::int64_t begin, std::int64_t end, float* squares);
void bpr_norms_cpu(const float* squares, std::int64_t count, double* norms);
void bpr_add_norm_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                               double weight, const double* norms, const BprTargets& targets,
                               float* gradient);

}  // namespace rallrec::kernels
