#include "kernels/chosen_rows.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/chosen_rows_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowGrain = 64;

void add_row(std::int64_t columns, const float* y, float* x) {
  for (std::int64_t c = 0; c < columns; ++c) {
    x[c] += y[c];
  }
}

// The runs of equal rows that begin in [begin, end), each to its end.
void add_runs(std::int64_t begin, std::int64_t end, std::int64_t count, std::int64_t columns,
              const std::int64_t* rows, const float* y, float* x) {
  for (std::int64_t first = begin; first < end; ++first) {
    if (first > 0 && rows[first] == rows[first - 1]) {
      continue;
    }
    for (std::int64_t i = first; i < count && rows[i] == rows[first]; ++i) {
      add_row(columns, y + i * columns, x + rows[i] * columns);
    }
  }
}

// Whether there is something to do.
bool check_call(std::int64_t count, std::int64_t columns, const std::int64_t* rows, const float* y,
                const float* x) {
  RALLREC_CHECK(count >= 0 && columns >= 0, "chosen_rows: negative size");
  if (count == 0 || columns == 0) {
    return false;
  }
  RALLREC_CHECK(rows != nullptr && y != nullptr && x != nullptr,
                "chosen_rows: null input or result");
  return true;
}

}  // namespace

void copy_to_chosen_rows(const Queue& queue, std::int64_t count, std::int64_t columns,
                         const std::int64_t* rows, const float* y, float* x) {
  if (!check_call(count, columns, rows, y, x)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::copy_to_chosen_rows_gpu(queue, count, columns, rows, y, x);
    return;
  }
  RALLREC_CHECK(*std::min_element(rows, rows + count) >= 0, "copy_to_chosen_rows: a row below 0");
  parallel_for(count, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(y + i * columns, columns, x + rows[i] * columns);
    }
  });
}

void add_to_chosen_rows(const Queue& queue, std::int64_t count, std::int64_t columns,
                        const std::int64_t* rows, const float* y, float* x) {
  if (!check_call(count, columns, rows, y, x)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::add_to_chosen_rows_gpu(queue, count, columns, rows, y, x);
    return;
  }
  RALLREC_CHECK(rows[0] >= 0 && std::is_sorted(rows, rows + count),
                "add_to_chosen_rows: the rows do not ascend from 0");
  parallel_for(count, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
    add_runs(begin, end, count, columns, rows, y, x);
  });
}

}  // namespace rallrec::kernels
