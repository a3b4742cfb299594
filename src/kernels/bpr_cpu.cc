#include <cmath>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/bpr.h"
#include "kernels/vector_rows.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kTripleGrain = 256;
constexpr std::int64_t kRowGrain = 128;

// Calls visit(first, last) on threads for disjoint ranges that cover [begin, end). Every thread
// then looks at all triples and works on those that touch its rows: the scan is cheap beside the
// work, and each row meets its triples in order.
template <typename Visit>
void for_row_ranges(std::int64_t begin, std::int64_t end, const Visit& visit) {
  parallel_for(end - begin, kRowGrain,
               [&](std::int64_t first, std::int64_t last) { visit(begin + first, begin + last); });
}

double norm_of(const std::vector<float>& squares, std::size_t role) {
  double sum = 0.0;
  for (std::size_t i = role; i < squares.size(); i += 3) {
    sum += squares[i];
  }
  return std::sqrt(sum);
}

float scale_of(double weight, double norm) {
  return static_cast<float>(weight * (norm > 0.0 ? 1.0 / norm : 0.0));
}

}  // namespace

void bpr_margins_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                     float* margins) {
  parallel_for(batch.count, kTripleGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      margins[b] = dot_difference(embeddings + batch.users[b] * width,
                                  embeddings + batch.positives[b] * width,
                                  embeddings + batch.negatives[b] * width, width);
    }
  });
}

void bpr_add_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                          const float* slopes, std::int64_t row_begin, std::int64_t row_end,
                          float* gradient) {
  for_row_ranges(row_begin, row_end, [&](std::int64_t first, std::int64_t last) {
    const auto row = [&](std::int64_t r) { return embeddings + r * width; };
    const auto target = [&](std::int64_t r) { return gradient + (r - row_begin) * width; };
    const auto mine = [&](std::int64_t r) { return r >= first && r < last; };
    for (std::int64_t b = 0; b < batch.count; ++b) {
      const std::int64_t user = batch.users[b];
      const std::int64_t positive = batch.positives[b];
      const std::int64_t negative = batch.negatives[b];
      if (mine(user)) {
        add_scaled_difference(slopes[b], row(positive), row(negative), target(user), width);
      }
      if (mine(positive)) {
        add_scaled(slopes[b], row(user), target(positive), width);
      }
      if (mine(negative)) {
        add_scaled(-slopes[b], row(user), target(negative), width);
      }
    }
  });
}

void bpr_norms_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                   double* norms) {
  std::vector<float> squares(static_cast<std::size_t>(3 * batch.count));
  parallel_for(batch.count, kTripleGrain, [&](std::int64_t begin, std::int64_t end) {
    const auto square = [&](std::int64_t r) {
      return dot_row(embeddings + r * width, embeddings + r * width, width);
    };
    for (std::int64_t b = begin; b < end; ++b) {
      squares[3 * b] = square(batch.users[b]);
      squares[3 * b + 1] = square(batch.positives[b]);
      squares[3 * b + 2] = square(batch.negatives[b]);
    }
  });
  for (std::size_t role = 0; role < 3; ++role) {
    norms[role] = norm_of(squares, role);
  }
}

void bpr_add_norm_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                               double weight, const double* norms, std::int64_t row_begin,
                               std::int64_t row_end, float* gradient) {
  const float scale[] = {scale_of(weight, norms[0]), scale_of(weight, norms[1]),
                         scale_of(weight, norms[2])};
  for_row_ranges(row_begin, row_end, [&](std::int64_t first, std::int64_t last) {
    const auto add = [&](std::int64_t r, float factor) {
      if (r >= first && r < last) {
        add_scaled(factor, embeddings + r * width, gradient + (r - row_begin) * width, width);
      }
    };
    for (std::int64_t b = 0; b < batch.count; ++b) {
      add(batch.users[b], scale[0]);
      add(batch.positives[b], scale[1]);
      add(batch.negatives[b], scale[2]);
    }
  });
}

}  // namespace rallrec::kernels
