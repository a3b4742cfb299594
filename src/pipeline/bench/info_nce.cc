#include "ops/info_nce.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/error.h"
#include "pipeline/bench/child_peak.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/register_bound.h"

namespace rallrec::pipeline {
namespace {

struct Inputs {
  at::Tensor x;  // unit rows, leaves of autograd
  at::Tensor y;
};

struct Outcome {
  double loss = 0.0;
  at::Tensor grad_x;
  at::Tensor grad_y;
};

Inputs make_inputs(std::int64_t items, std::int64_t width) {
  at::manual_seed(1);
  const auto rows = [&] {
    const at::Tensor values = at::randn({items, width});
    return values.div_(values.norm(2, {1}, true)).requires_grad_();
  };
  return {rows(), rows()};
}

// As libraries of contrastive learning write it: the matrix of scores and two cross entropies.
at::Tensor plain_loss(const Inputs& inputs, double temperature) {
  const at::Tensor scores = at::matmul(inputs.x, inputs.y.t()).div(temperature);
  const at::Tensor positives = at::arange(scores.size(0), at::kLong);
  return at::cross_entropy_loss(scores, positives) + at::cross_entropy_loss(scores.t(), positives);
}

at::Tensor tiled_loss(const Inputs& inputs, double temperature) {
  return ops::info_nce(inputs.x, inputs.y, temperature);
}

using Loss = at::Tensor (*)(const Inputs&, double);

Outcome forward_backward(Loss loss_of, const Inputs& inputs, double temperature) {
  const at::Tensor loss = loss_of(inputs, temperature);
  const auto gradients = torch::autograd::grad({loss}, {inputs.x, inputs.y});
  return {loss.item<double>(), gradients[0], gradients[1]};
}

double largest_difference(const at::Tensor& got, const at::Tensor& want) {
  return ((got - want).abs().max() / want.abs().max()).item<double>();
}

// The largest of three relative differences; throws where the arms do not agree.
double verify(const Inputs& inputs, double temperature) {
  const Outcome plain = forward_backward(&plain_loss, inputs, temperature);
  const Outcome tiled = forward_backward(&tiled_loss, inputs, temperature);
  const double loss = std::fabs(tiled.loss - plain.loss) / plain.loss;
  require_agreement("info_nce: losses", loss, 1e-5);
  const double grad_x = largest_difference(tiled.grad_x, plain.grad_x);
  const double grad_y = largest_difference(tiled.grad_y, plain.grad_y);
  require_agreement("info_nce: gradients of x", grad_x, 1e-4);
  require_agreement("info_nce: gradients of y", grad_y, 1e-4);
  return std::max({loss, grad_x, grad_y});
}

// Above process, inputs and the two gradients. What libraries take at their first call counts to
// the process.
std::int64_t peak_bytes(Loss loss_of, const BenchRequest& request) {
  Inputs inputs;
  const std::int64_t peak = child_peak_bytes(
      [&] {
        forward_backward(loss_of, make_inputs(256, request.width), request.temperature);
        inputs = make_inputs(request.items, request.width);
      },
      [&] { forward_backward(loss_of, inputs, request.temperature); });
  return peak - 2 * request.items * request.width * std::int64_t{sizeof(float)};
}

void check(const BenchRun& run) {
  if (run.communicator.size() != 1) {
    throw_usage("bench info_nce compares two arms on one rank; start it without a launcher");
  }
  const BenchRequest& request = run.request;
  if (request.items < 2 || request.width < 1 || !(request.temperature > 0.0)) {
    throw_usage("bench info_nce: --items must be at least 2, --width and --temperature positive");
  }
}

}  // namespace

void bench_info_nce(const BenchRun& run) {
  check(run);
  const BenchRequest& request = run.request;
  const Loss losses[] = {&plain_loss, &tiled_loss};
  // First of all: a fork does not inherit the threads that the arms will start.
  const std::int64_t peaks[] = {peak_bytes(losses[0], request), peak_bytes(losses[1], request)};
  const Inputs inputs = make_inputs(request.items, request.width);
  const double difference = verify(inputs, request.temperature);
  RegisterBound bound;
  bound.measure();
  const std::vector<Seconds> seconds =
      time_arms({[&] { forward_backward(losses[0], inputs, request.temperature); },
                 [&] { forward_backward(losses[1], inputs, request.temperature); }},
                request.repeats, run.communicator);
  bound.measure();
  const auto items = static_cast<double>(request.items);
  const auto width = static_cast<double>(request.width);
  const char* arms[] = {"plain libtorch", "tiled"};
  // One product for the scores in each direction of the pass and two for the gradients.
  const double work = 8.0 * items * items * width;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    print_line({"info_nce",
                arms[i],
                seconds[i],
                peaks[i],
                work,
                work / seconds[i].median,
                difference,
                seconds[0].median / seconds[i].median,
                {{"memory_ratio", static_cast<double>(peaks[0]) / static_cast<double>(peaks[i])},
                 {"floor_seconds", work / bound.fp32},
                 {"share_of_floor", work / bound.fp32 / seconds[i].median},
                 {"items", items},
                 {"width", width},
                 {"temperature", request.temperature}}},
               run);
  }
}

}  // namespace rallrec::pipeline
