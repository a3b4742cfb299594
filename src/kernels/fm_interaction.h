#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Sizes of v: fp32 [batch, fields, dim], row-major, the embeddings of a sample's fields.
struct FmShape {
  std::int64_t batch = 0;
  std::int64_t fields = 0;
  std::int64_t dim = 0;
};

// Second-order term of a factorisation machine (Rendle 2010, eq. 3; the FM part of DeepFM, Guo et
// al. 2017): the sum over all pairs of fields of their dot product,
//   y[b] = 1/2 Σ_d ((Σ_f v[b,f,d])² - Σ_f v[b,f,d]²) = Σ_d Σ_f v[b,f,d] · Σ_{g<f} v[b,g,d].
// Computed in the second form, which loses nothing where the two halves of the first nearly cancel.
//
// y: fp32 [batch]; v and y are in the queue's memory. A sample's bits do not depend on the others.
// On a CUDA queue the call is enqueued and returns. Throws Error on a negative size or on null
// where there is something to read or write.
void fm_interaction(const Queue& queue, const FmShape& shape, const float* v, float* y);

// dv[b,f,d] = dy[b] · (Σ_g v[b,g,d] - v[b,f,d]); fp32 [batch, fields, dim], may be v itself.
void fm_interaction_backward(const Queue& queue, const FmShape& shape, const float* v,
                             const float* dy, float* dv);

inline Work fm_interaction_work(const FmShape& s) {
  const std::int64_t values = s.batch * s.fields * s.dim;
  return {4 * (values + s.batch), 3 * values};
}

inline Work fm_interaction_backward_work(const FmShape& s) {
  const std::int64_t values = s.batch * s.fields * s.dim;
  return {4 * (2 * values + s.batch), 3 * values};
}

}  // namespace rallrec::kernels
