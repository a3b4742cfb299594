#include "kernels/info_nce_tile.h"

#include "kernels/simd.h"

namespace rallrec::kernels {
namespace {

// Calls step.at(i, count) for rows, as many at once as there are lanes; `count` is that constant
// but for the last ones, so that the branches on it fold away.
template <typename Lanes, typename Step>
[[gnu::always_inline]] inline void for_rows(std::int64_t rows, Step& step) {
  std::int64_t i = 0;
  for (; i + kLanesOf<Lanes> <= rows; i += kLanesOf<Lanes>) {
    step.at(i, kLanesOf<Lanes>);
  }
  if (i < rows) {
    step.at(i, rows - i);
  }
}

template <typename Lanes>
struct SumShared {
  const float* scores;
  float scale;
  float shift;
  float* row_sums;
  Lanes total;

  [[gnu::always_inline]] inline void at(std::int64_t i, std::int64_t count) {
    Lanes e;
    Lanes sum;
    load_up_to(scores + i, count, e);
    load_up_to(row_sums + i, count, sum);
    e = e * scale - shift;
    exp_lanes(e);
    keep_first(count, e);
    total += e;
    sum += e;
    store_up_to(sum, count, row_sums + i);
  }

  [[gnu::always_inline]] static inline void run(const ScoreTile* tile, float shift, float* row_sums,
                                                float* column_sums) {
    for (std::int64_t j = 0; j < tile->columns; ++j) {
      SumShared step{tile->scores + j * tile->stride, tile->scale, shift, row_sums, {}};
      for_rows<Lanes>(tile->rows, step);
      column_sums[j] = sum_lanes(step.total);
    }
  }
};

template <typename Lanes>
struct Maxima {
  [[gnu::always_inline]] static inline void run(const ScoreTile* tile, float* row_maxima,
                                                float* column_maxima) {
    for (std::int64_t j = 0; j < tile->columns; ++j) {
      const float* column = tile->scores + j * tile->stride;
      column_maxima[j] = largest_of<Lanes>(column, tile->rows) * tile->scale;
      for (std::int64_t i = 0; i < tile->rows; ++i) {
        const float z = column[i] * tile->scale;
        row_maxima[i] = z > row_maxima[i] ? z : row_maxima[i];
      }
    }
  }
};

template <typename Lanes>
struct SumExact {
  const float* scores;
  float scale;
  float column_shift;
  const float* row_shifts;
  float* row_sums;
  Lanes total;

  [[gnu::always_inline]] inline void at(std::int64_t i, std::int64_t count) {
    Lanes e;
    Lanes shift;
    Lanes sum;
    load_up_to(scores + i, count, e);
    load_up_to(row_shifts + i, count, shift);
    load_up_to(row_sums + i, count, sum);
    Lanes f = e * scale - column_shift;
    e = e * scale - shift;
    exp_lanes(e);
    exp_lanes(f);
    keep_first(count, f);
    total += f;
    sum += e;
    store_up_to(sum, count, row_sums + i);
  }

  [[gnu::always_inline]] static inline void run(const ScoreTile* tile, const float* row_shifts,
                                                const float* column_shifts, float* row_sums,
                                                float* column_sums) {
    for (std::int64_t j = 0; j < tile->columns; ++j) {
      const float* column = tile->scores + j * tile->stride;
      SumExact step{column, tile->scale, column_shifts[j], row_shifts, row_sums, {}};
      for_rows<Lanes>(tile->rows, step);
      column_sums[j] = sum_lanes(step.total);
    }
  }
};

template <typename Lanes>
struct GradientShared {
  float* scores;
  float scale;
  float shift;
  float weight;
  float column_factor;
  const float* row_factors;

  [[gnu::always_inline]] inline void at(std::int64_t i, std::int64_t count) {
    Lanes e;
    Lanes row_factor;
    load_up_to(scores + i, count, e);
    load_up_to(row_factors + i, count, row_factor);
    e = e * scale - shift;
    exp_lanes(e);
    e = e * weight * (row_factor + column_factor);
    store_up_to(e, count, scores + i);
  }

  [[gnu::always_inline]] static inline void run(const ScoreTile* tile, float shift, float weight,
                                                const float* row_factors,
                                                const float* column_factors) {
    for (std::int64_t j = 0; j < tile->columns; ++j) {
      float* column = tile->scores + j * tile->stride;
      GradientShared step{column, tile->scale, shift, weight, column_factors[j], row_factors};
      for_rows<Lanes>(tile->rows, step);
    }
  }
};

template <typename Lanes>
struct GradientExact {
  float* scores;
  float scale;
  float weight;
  float column_lse;
  const float* row_lse;

  [[gnu::always_inline]] inline void at(std::int64_t i, std::int64_t count) {
    Lanes e;
    Lanes lse;
    load_up_to(scores + i, count, e);
    load_up_to(row_lse + i, count, lse);
    Lanes f = e * scale - column_lse;
    e = e * scale - lse;
    exp_lanes(e);
    exp_lanes(f);
    e = weight * (e + f);
    store_up_to(e, count, scores + i);
  }

  [[gnu::always_inline]] static inline void run(const ScoreTile* tile, float weight,
                                                const float* row_lse, const float* column_lse) {
    for (std::int64_t j = 0; j < tile->columns; ++j) {
      float* column = tile->scores + j * tile->stride;
      GradientExact step{column, tile->scale, weight, column_lse[j], row_lse};
      for_rows<Lanes>(tile->rows, step);
    }
  }
};

}  // namespace

void sum_exponentials_shared(const ScoreTile& tile, float shift, float* row_sums,
                             float* column_sums) {
  run_best_lanes<SumShared>(&tile, shift, row_sums, column_sums);
}

void tile_maxima(const ScoreTile& tile, float* row_maxima, float* column_maxima) {
  run_best_lanes<Maxima>(&tile, row_maxima, column_maxima);
}

void sum_exponentials_exact(const ScoreTile& tile, const float* row_shifts,
                            const float* column_shifts, float* row_sums, float* column_sums) {
  run_best_lanes<SumExact>(&tile, row_shifts, column_shifts, row_sums, column_sums);
}

void tile_gradient_shared(const ScoreTile& tile, float shift, float weight, const float* row_factor,
                          const float* column_factor) {
  run_best_lanes<GradientShared>(&tile, shift, weight, row_factor, column_factor);
}

void tile_gradient_exact(const ScoreTile& tile, float weight, const float* row_lse,
                         const float* column_lse) {
  run_best_lanes<GradientExact>(&tile, weight, row_lse, column_lse);
}

}  // namespace rallrec::kernels
