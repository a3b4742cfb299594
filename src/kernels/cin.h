#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// A layer of the compressed interaction network of xDeepFM (Lian et al., KDD 2018, eq. 6):
//   y[b,h,:] = Σ_i Σ_j w[h,i,j] · x[b,i,:] ∘ x0[b,j,:]
// and, where wanted, its sum pooling (eq. 7): pooled[b,h] = Σ_d y[b,h,d].
//
// x0 fp32 [batch, fields, dim] is the network's input, x [batch, maps_in, dim] this layer's (x0
// itself in the first), w [maps_out, maps_in, fields]; y [batch, maps_out, dim], pooled [batch,
// maps_out]. Bias, activation and the cut into direct and hidden maps are the caller's.
struct CinShape {
  std::int64_t batch = 0;
  std::int64_t dim = 0;
  std::int64_t fields = 0;
  std::int64_t maps_in = 0;
  std::int64_t maps_out = 0;

  // Products of a map and a field, which each output map weighs.
  std::int64_t pairs() const { return maps_in * fields; }
};

struct CinInput {
  const float* x0;
  const float* x;
  const float* w;
};

// The products x ∘ x0 are formed in tiles, in the cache or shared memory, and never stored. Results
// may not overlap inputs; all memory is the queue's. On a CUDA queue a call is enqueued and
// returns. A sample's y and pooled do not depend on the others. `pooled` may be null. Throws Error
// on a negative size, on 2^30 pairs or values of a sample and more, or on null where there is
// something to read or write.
void cin(const Queue& queue, const CinShape& shape, const CinInput& input, float* y, float* pooled);

// What reaches y and pooled; one of the two may be null for zeros.
struct CinOutputGradients {
  const float* dy;
  const float* dpooled;
};

struct CinGradients {
  float* dx0;  // [batch, fields, dim], this layer's share
  float* dx;   // [batch, maps_in, dim]
  float* dw;   // [maps_out, maps_in, fields]
};

// With g = dy + dpooled at every d:
//   dx[b,i,:]  = Σ_h Σ_j w[h,i,j] · g[b,h,:] ∘ x0[b,j,:]        dx0 likewise with x and Σ_i
//   dw[h,i,j]  = Σ_b Σ_d g[b,h,d] · x[b,i,d] · x0[b,j,d]
// The sum over the batch is cut by the sizes alone: its bits depend on nothing else.
void cin_backward(const Queue& queue, const CinShape& shape, const CinInput& input,
                  const CinOutputGradients& output, const CinGradients& gradients);

inline Work cin_work(const CinShape& s) {
  const std::int64_t positions = s.batch * s.dim;
  return {4 * (positions * (s.fields + s.maps_in + s.maps_out) + s.maps_out * s.pairs()),
          positions * s.pairs() * (2 * s.maps_out + 1)};
}

// Without dpooled.
inline Work cin_backward_work(const CinShape& s) {
  const std::int64_t positions = s.batch * s.dim;
  return {
      4 * (positions * (2 * s.fields + 2 * s.maps_in + s.maps_out) + 2 * s.maps_out * s.pairs()),
      positions * s.pairs() * (4 * s.maps_out + 5)};
}

}  // namespace rallrec::kernels
