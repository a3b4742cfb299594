#include "retrieval/principal_components.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_eigh.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace rallrec::retrieval {
namespace {

// Eigenvectors of the `count` largest eigenvalues of a symmetric matrix as columns, and the values,
// largest first.
std::tuple<at::Tensor, at::Tensor> leading_eigenvectors(const at::Tensor& matrix,
                                                        std::int64_t count) {
  const auto [values, vectors] = at::linalg_eigh(matrix, "L");
  const std::int64_t skipped = matrix.size(0) - count;
  return {vectors.narrow(1, skipped, count).flip({1}), values.narrow(0, skipped, count).flip({0})};
}

// Through the smaller of the two matrices of products: rows by rows or columns by columns.
at::Tensor coordinates(const at::Tensor& centred, std::int64_t count) {
  if (centred.size(0) <= centred.size(1)) {
    const auto [vectors, values] = leading_eigenvectors(centred.matmul(centred.t()), count);
    return vectors * values.clamp_min(0.0).sqrt();
  }
  return centred.matmul(std::get<0>(leading_eigenvectors(centred.t().matmul(centred), count)));
}

double sign_of_largest(const double* values, std::int64_t rows, std::int64_t stride) {
  double largest = 0.0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double value = values[row * stride];
    largest = std::abs(value) > std::abs(largest) ? value : largest;
  }
  return std::copysign(1.0, largest);
}

}  // namespace

std::int64_t component_count(std::int64_t rows, std::int64_t columns, std::int64_t asked) {
  return std::min({rows, columns, asked});
}

std::vector<float> principal_components(const float* values, std::int64_t rows,
                                        std::int64_t columns, std::int64_t asked) {
  const std::int64_t count = component_count(rows, columns, asked);
  // from_blob wants a pointer that it could write through; it does not.
  const at::Tensor matrix = at::from_blob(const_cast<float*>(values), {rows, columns},  // NOLINT
                                          at::TensorOptions().dtype(at::kFloat))
                                .to(at::kDouble);
  const at::Tensor found = coordinates(matrix - matrix.mean(0), count).contiguous();
  const double* coordinate = found.const_data_ptr<double>();
  std::vector<float> result(static_cast<std::size_t>(rows * count));
  for (std::int64_t c = 0; c < count; ++c) {
    const double sign = sign_of_largest(coordinate + c, rows, count);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t at = row * count + c;
      result[static_cast<std::size_t>(at)] = static_cast<float>(sign * coordinate[at]);
    }
  }
  return result;
}

}  // namespace rallrec::retrieval
