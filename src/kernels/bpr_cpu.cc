#include <cmath>

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

double norm_of(const float* squares, std::int64_t count) {
  double sum = 0.0;
  for (std::int64_t b = 0; b < count; ++b) {
    sum += squares[b];
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
                          const float* slopes, const BprTargets& targets, float* gradient) {
  const BprBatch& to = targets.rows;
  for_row_ranges(targets.begin, targets.end, [&](std::int64_t first, std::int64_t last) {
    const auto row = [&](std::int64_t r) { return embeddings + r * width; };
    const auto target = [&](std::int64_t r) { return gradient + (r - targets.begin) * width; };
    const auto mine = [&](std::int64_t r) { return r >= first && r < last; };
    for (std::int64_t b = 0; b < batch.count; ++b) {
      if (mine(to.users[b])) {
        add_scaled_difference(slopes[b], row(batch.positives[b]), row(batch.negatives[b]),
                              target(to.users[b]), width);
      }
      if (mine(to.positives[b])) {
        add_scaled(slopes[b], row(batch.users[b]), target(to.positives[b]), width);
      }
      if (mine(to.negatives[b])) {
        add_scaled(-slopes[b], row(batch.users[b]), target(to.negatives[b]), width);
      }
    }
  });
}

void bpr_squares_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                     std::int64_t row_begin, std::int64_t row_end, float* squares) {
  const auto square = [&](std::int64_t r) {
    const float* row = embeddings + r * width;
    return r >= row_begin && r < row_end ? dot_row(row, row, width) : 0.0F;
  };
  parallel_for(batch.count, kTripleGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b) {
      squares[b] = square(batch.users[b]);
      squares[batch.count + b] = square(batch.positives[b]);
      squares[2 * batch.count + b] = square(batch.negatives[b]);
    }
  });
}

void bpr_norms_cpu(const float* squares, std::int64_t count, double* norms) {
  for (std::int64_t role = 0; role < 3; ++role) {
    norms[role] = norm_of(squares + role * count, count);
  }
}

void bpr_add_norm_gradient_cpu(const float* embeddings, std::int64_t width, const BprBatch& batch,
                               double weight, const double* norms, const BprTargets& targets,
                               float* gradient) {
  const float scale[] = {scale_of(weight, norms[0]), scale_of(weight, norms[1]),
                         scale_of(weight, norms[2])};
  const BprBatch& to = targets.rows;
  for_row_ranges(targets.begin, targets.end, [&](std::int64_t first, std::int64_t last) {
    const auto add = [&](std::int64_t target, std::int64_t row, float factor) {
      if (target >= first && target < last) {
        add_scaled(factor, embeddings + row * width, gradient + (target - targets.begin) * width,
                   width);
      }
    };
    for (std::int64_t b = 0; b < batch.count; ++b) {
      add(to.users[b], batch.users[b], scale[0]);
      add(to.positives[b], batch.positives[b], scale[1]);
      add(to.negatives[b], batch.negatives[b], scale[2]);
    }
  });
}

}  // namespace rallrec::kernels
