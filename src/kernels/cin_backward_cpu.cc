#include <algorithm>
#include <vector>

#include "kernels/cin_cpu.h"
#include "kernels/cin_products.h"
#include "kernels/simd.h"
#include "kernels/small_matmul.h"

namespace rallrec::kernels::detail {
namespace {

// Samples whose share of dw is summed before it is added to the rest.
constexpr std::int64_t kSamplesPerPart = 128;

std::vector<float> floats(std::int64_t count) {
  return std::vector<float>(static_cast<std::size_t>(count));
}

// A sample's gradient [maps_out, dim]: dy itself, or `sum` filled with dy + dpooled.
[[gnu::always_inline]] inline const float* output_gradient(const CinBackwardArguments& a,
                                                           std::int64_t b, float* sum) {
  const std::int64_t dim = a.shape.dim;
  const std::int64_t first = b * a.shape.maps_out;
  if (a.out.dpooled == nullptr) {
    return a.out.dy + first * dim;
  }
  for (std::int64_t h = 0; h < a.shape.maps_out; ++h) {
    const float pooled = a.out.dpooled[first + h];
    for (std::int64_t d = 0; d < dim; ++d) {
      const float direct = a.out.dy == nullptr ? 0.0F : a.out.dy[(first + h) * dim + d];
      sum[h * dim + d] = direct + pooled;
    }
  }
  return sum;
}

// Adds what the gradients dz of some products give to their map and their field.
struct SpreadGradients {
  const CinShape& s;
  CinSample sample;
  const float* dz;
  float* dx0;
  float* dx;

  [[gnu::always_inline]] void operator()(std::int64_t row, std::int64_t i, std::int64_t j) const {
    const float* from = dz + row * s.dim;
    const float* x = sample.x + i * s.dim;
    const float* x0 = sample.x0 + j * s.dim;
    float* __restrict to = dx + i * s.dim;
    float* __restrict to0 = dx0 + j * s.dim;
    for (std::int64_t d = 0; d < s.dim; ++d) {
      to[d] += from[d] * x0[d];
      to0[d] += from[d] * x[d];
    }
  }
};

// dz [products, dim] = wᵀ · g, a tile of products at a time.
struct InputGradients {
  [[gnu::always_inline]] static void run(const CinBackwardArguments* a, std::int64_t begin,
                                         std::int64_t end, float* g, float* dz) {
    const CinShape s = a->shape;
    const std::int64_t pairs = s.pairs();
    for (std::int64_t b = begin; b < end; ++b) {
      float* dx0 = a->gradients.dx0 + b * s.fields * s.dim;
      float* dx = a->gradients.dx + b * s.maps_in * s.dim;
      const float* gradient = output_gradient(*a, b, g);
      for (std::int64_t first = 0; first < pairs; first += kCinDepth) {
        const std::int64_t count = std::min(kCinDepth, pairs - first);
        small_matmul(count, s.dim, s.maps_out, {a->in.w + first, 1, pairs}, gradient, s.dim, dz,
                     s.dim, false);
        for_pairs(s, first, count, SpreadGradients{s, cin_sample(s, a->in, b), dz, dx0, dx});
      }
    }
  }
};

// Columns of dw: g [maps_out, dim] · z [dim, columns], sample by sample. x0 of the sample lies
// turned, [dim, fields], so that neighbouring products are neighbours in memory.
struct WeightGradient {
  const CinBackwardArguments* a;
  std::int64_t begin;
  std::int64_t count;
  float* turned;
  float* z;
  float* g;
  float* sums;

  [[gnu::always_inline]] void fill(std::int64_t b) const {
    const CinShape& s = a->shape;
    const CinSample sample = cin_sample(s, a->in, b);
    for (std::int64_t j = 0; j < s.fields; ++j) {
      for (std::int64_t d = 0; d < s.dim; ++d) {
        turned[d * s.fields + j] = sample.x0[j * s.dim + d];
      }
    }
    for (std::int64_t d = 0; d < s.dim; ++d) {
      float* __restrict to = z + d * count;
      for (std::int64_t done = 0; done < count;) {
        const std::int64_t i = (begin + done) / s.fields;
        const std::int64_t j = (begin + done) % s.fields;
        const std::int64_t run = std::min(s.fields - j, count - done);
        const float x = sample.x[i * s.dim + d];
        for (std::int64_t k = 0; k < run; ++k) {
          to[done + k] = x * turned[d * s.fields + j + k];
        }
        done += run;
      }
    }
  }

  [[gnu::always_inline]] static void run(const WeightGradient* w) {
    const CinShape& s = w->a->shape;
    for (std::int64_t first = 0; first < s.batch; first += kSamplesPerPart) {
      const std::int64_t end = std::min(first + kSamplesPerPart, s.batch);
      for (std::int64_t b = first; b < end; ++b) {
        w->fill(b);
        small_matmul(s.maps_out, w->count, s.dim, {output_gradient(*w->a, b, w->g), s.dim, 1}, w->z,
                     w->count, w->sums, w->count, b > first);
      }
      for (std::int64_t h = 0; h < s.maps_out; ++h) {
        float* to = w->a->gradients.dw + h * s.pairs() + w->begin;
        for (std::int64_t k = 0; k < w->count; ++k) {
          to[k] += w->sums[h * w->count + k];
        }
      }
    }
  }
};

}  // namespace

void cin_input_gradients_cpu(const CinBackwardArguments& arguments, std::int64_t begin,
                             std::int64_t end) {
  const CinShape& s = arguments.shape;
  const std::int64_t samples = end - begin;
  std::fill_n(arguments.gradients.dx0 + begin * s.fields * s.dim, samples * s.fields * s.dim, 0.0F);
  std::fill_n(arguments.gradients.dx + begin * s.maps_in * s.dim, samples * s.maps_in * s.dim,
              0.0F);
  auto g = floats(s.maps_out * s.dim);
  auto dz = floats(kCinDepth * s.dim);
  run_best<InputGradients>(&arguments, begin, end, g.data(), dz.data());
}

void cin_weight_gradient_cpu(const CinBackwardArguments& arguments, std::int64_t begin,
                             std::int64_t count) {
  const CinShape& s = arguments.shape;
  for (std::int64_t h = 0; h < s.maps_out; ++h) {
    std::fill_n(arguments.gradients.dw + h * s.pairs() + begin, count, 0.0F);
  }
  if (s.dim == 0) {
    return;
  }
  auto turned = floats(s.dim * s.fields);
  auto z = floats(s.dim * count);
  auto g = floats(s.maps_out * s.dim);
  auto sums = floats(s.maps_out * count);
  const WeightGradient work{&arguments, begin,    count,      turned.data(),
                            z.data(),   g.data(), sums.data()};
  run_best<WeightGradient>(&work);
}

}  // namespace rallrec::kernels::detail
