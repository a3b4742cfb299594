#include "kernels/row_product_cpu.h"

#include <algorithm>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/bfloat16.h"

namespace rallrec::kernels::detail {
namespace {

// Calls body(row) for every row; a row is one thread's.
template <typename Body>
void for_each_row(std::int64_t rows, const Body& body) {
  parallel_for(rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      body(i);
    }
  });
}

// The values of a row of x as a tensor core gets them.
std::vector<float> rounded_row(const float* x, std::int64_t count) {
  std::vector<float> row(static_cast<std::size_t>(count));
  std::transform(x, x + count, row.begin(),
                 [](float value) { return widened_bfloat16(rounded_to_bfloat16(value)); });
  return row;
}

void write_row(const std::vector<float>& sums, bool accumulate, float* y) {
  for (std::size_t j = 0; j < sums.size(); ++j) {
    y[j] = accumulate ? y[j] + sums[j] : sums[j];
  }
}

}  // namespace

void int8_product_cpu(const ProductShape& shape, const std::int8_t* a, const std::int8_t* w,
                      std::int32_t* sums) {
  for_each_row(shape.rows, [&](std::int64_t i) {
    const std::int8_t* row = a + i * shape.depth;
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      const std::int8_t* column = w + j * shape.depth;
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        sum += std::int32_t{row[k]} * column[k];
      }
      sums[i * shape.columns + j] = sum;
    }
  });
}

void int8_product_transposed_cpu(const ProductShape& shape, const std::int8_t* a,
                                 const std::int8_t* w, std::int32_t* sums) {
  for_each_row(shape.rows, [&](std::int64_t i) {
    std::int32_t* row = sums + i * shape.depth;
    std::fill_n(row, shape.depth, 0);
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      const std::int8_t* factor = a + i * shape.columns + j;
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        row[k] += *factor * w[j * shape.depth + k];
      }
    }
  });
}

void bfloat16_product_cpu(const ProductShape& shape, const float* x, const std::uint16_t* w,
                          bool accumulate, float* y) {
  for_each_row(shape.rows, [&](std::int64_t i) {
    const std::vector<float> row = rounded_row(x + i * shape.depth, shape.depth);
    std::vector<float> sums(static_cast<std::size_t>(shape.columns));
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      float sum = 0.0F;
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        sum += row[static_cast<std::size_t>(k)] * widened_bfloat16(w[j * shape.depth + k]);
      }
      sums[static_cast<std::size_t>(j)] = sum;
    }
    write_row(sums, accumulate, y + i * shape.columns);
  });
}

void bfloat16_product_transposed_cpu(const ProductShape& shape, const float* x,
                                     const std::uint16_t* w, bool accumulate, float* y) {
  for_each_row(shape.rows, [&](std::int64_t i) {
    const std::vector<float> row = rounded_row(x + i * shape.columns, shape.columns);
    std::vector<float> sums(static_cast<std::size_t>(shape.depth));
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        sums[static_cast<std::size_t>(k)] +=
            row[static_cast<std::size_t>(j)] * widened_bfloat16(w[j * shape.depth + k]);
      }
    }
    write_row(sums, accumulate, y + i * shape.depth);
  });
}

}  // namespace rallrec::kernels::detail
