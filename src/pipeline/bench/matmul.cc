#include <ATen/ATen.h>

#include <algorithm>

#include "models/llm/fp32_linear.h"
#include "models/llm/int8_linear.h"
#include "models/llm/int8_matrix.h"
#include "models/llm/linear_names.h"
#include "ops/tensor_rows.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/register_bound.h"

namespace rallrec::pipeline {
namespace {

struct Shape {
  std::string name;
  std::int64_t out;
  std::int64_t in;
};
constexpr std::int64_t kRows = 512;

// The linears of the request's model, or those of SmolLM2-135M and Llama-3.1-8B; equal ones once.
std::vector<Shape> shapes_of(const BenchRequest& request) {
  if (request.model.empty()) {
    return {{"smollm2 q, o", 576, 576},      {"smollm2 k, v", 192, 576},
            {"smollm2 gate, up", 1536, 576}, {"smollm2 down", 576, 1536},
            {"8b q, o", 4096, 4096},         {"8b k, v", 1024, 4096},
            {"8b gate, up", 14336, 4096},    {"8b down", 4096, 14336}};
  }
  const models::llm::LlmConfig config = models::llm::read_llm_config(request.model);
  std::vector<Shape> shapes;
  for (const models::llm::Linear linear : models::llm::kLinears) {
    const auto size = size_of(config, linear);
    const bool known = std::any_of(shapes.begin(), shapes.end(), [&](const Shape& shape) {
      return shape.out == size.out && shape.in == size.in;
    });
    if (!known) {
      shapes.push_back({name_of(linear), size.out, size.in});
    }
  }
  return shapes;
}

double relative(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).norm() / want.norm()).item<double>();
}

void bench_shape(const Shape& shape, const BenchRun& run, RegisterBound& bound) {
  const at::Tensor weight = 0.02 * at::randn({shape.out, shape.in});
  const at::Tensor x = at::randn({kRows, shape.in});
  const models::llm::Fp32Linear fp32(weight);
  const models::llm::Int8Matrix matrix(weight);
  const models::llm::Int8Linear int8(matrix.view());
  const at::Tensor y = at::empty({kRows, shape.out});
  const at::Tensor want = at::linear(x, weight);
  const Rows from = ops::rows_of(x);
  const Rows to = ops::rows_of(y);
  fp32.forward(from, to);
  const double fp32_apart = relative(y, want);
  require_agreement("matmul: fp32 and libtorch", fp32_apart, 1e-5);
  int8.forward(from, to);
  const double int8_apart = relative(y, want);
  require_agreement("matmul: int8 and libtorch", int8_apart, 0.03);
  bound.measure();
  const std::vector<Seconds> seconds =
      time_arms({[&] { at::linear(x, weight); }, [&] { fp32.forward(from, to); },
                 [&] { int8.forward(from, to); }},
                run.request.repeats, run.communicator);
  bound.measure();
  const double work = 2.0 * static_cast<double>(kRows * shape.out * shape.in);
  const char* arms[] = {"libtorch fp32", "packed fp32", "packed int8"};
  const double apart[] = {0.0, fp32_apart, int8_apart};
  const double most[] = {bound.fp32, bound.fp32, bound.int8};
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const double rate = work / seconds[i].median;
    print_line(
        {"matmul",
         std::string(arms[i]) + ", " + shape.name,
         seconds[i],
         0,
         work,
         rate,
         apart[i],
         seconds[0].median / seconds[i].median,
         {{"register_rate", most[i]}, {"share_of_registers", most[i] > 0 ? rate / most[i] : 0.0}}},
        run);
  }
}

}  // namespace

void bench_matmul(const BenchRun& run) {
  RegisterBound bound;
  for (const Shape& shape : shapes_of(run.request)) {
    bench_shape(shape, run, bound);
  }
}

}  // namespace rallrec::pipeline
