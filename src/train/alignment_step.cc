#include "train/alignment_step.h"

#include "core/check.h"
#include "distributed/flight_marks.h"
#include "kernels/unit_rows.h"

namespace rallrec::train {
namespace {

constexpr const char* kSetting = "align.hidden_size or the number of items";

}  // namespace

template <typename Value>
DeviceArray<Value> AlignmentStep::array() const {
  return {place_.queue, kSetting};
}

AlignmentStep::AlignmentStep(models::Projector& projector, const std::vector<float>& text,
                             const std::vector<float>& graph, const config::AlignOptions& options,
                             const distributed::Place& place)
    : projector_(projector),
      options_(options),
      place_(place),
      batches_(text, graph, projector.shape(), options, place),
      cut_(batches_.cut()),
      mine_(batches_.own_blocks()),
      first_row_(batches_.first_row()),
      own_rows_(batches_.own_rows()),
      width_(projector.shape().output),
      tree_(static_cast<std::size_t>(cut_.blocks), cut_.parts(place.device.size()),
            projector.parameters().size(), place),
      activations_(place.queue, kSetting),
      unit_(array<float>()),
      norms_(array<float>()),
      slopes_(array<float>()),
      positive_(array<float>()),
      row_lse_(array<double>()),
      own_lse_(array<double>()),
      all_lse_(array<double>()),
      column_lse_(array<double>()),
      step_losses_(array<double>()),
      losses_(array<double>()),
      first_moment_(array<float>()),
      second_moment_(array<float>()),
      all_rates_(array<kernels::AdamRates>()),
      rates_(array<kernels::AdamRates>()),
      replay_(place.queue, place.device.size() == 1) {
  first_moment_.assign_zeros(projector.parameters().size());
  second_moment_.assign_zeros(projector.parameters().size());
  resize_arrays();
}

void AlignmentStep::resize_arrays() {
  const auto rows = static_cast<std::size_t>(own_rows_);
  const auto columns = static_cast<std::size_t>(cut_.rows);
  unit_.resize(rows * static_cast<std::size_t>(width_));
  slopes_.resize(unit_.size());
  norms_.resize(rows);
  positive_.resize(rows);
  row_lse_.resize(rows);
  own_lse_.resize(mine_.size() * columns);
  step_losses_.resize(mine_.size());
  rates_.resize(1);
  column_lse_.resize(columns);
  if (place_.device.size() > 1) {
    all_lse_.resize(static_cast<std::size_t>(cut_.blocks) * columns);
  }
}

void AlignmentStep::begin(std::int64_t steps) {
  recorded_ = 0;
  batches_.begin(steps);
  losses_.resize(static_cast<std::size_t>(steps) * mine_.size());
  std::vector<kernels::AdamRates> rates;
  for (std::int64_t step = 1; step <= steps; ++step) {
    rates.push_back(kernels::adam_rates(options_.learning_rate, updates_ + step));
  }
  all_rates_.assign(rates);
}

void AlignmentStep::run() {
  RALLREC_CHECK(static_cast<std::size_t>(recorded_) < all_rates_.size(),
                "AlignmentStep: more steps than begin() was told");
  // What differs from step to step goes in and out by copies around the repeated work.
  batches_.next();
  copy_on_device(place_.queue, rates_.data(), all_rates_.data() + recorded_,
                 sizeof(kernels::AdamRates));
  replay_.run([this] { step(); });
  copy_on_device(place_.queue,
                 losses_.data() + static_cast<std::size_t>(recorded_) * step_losses_.size(),
                 step_losses_.data(), step_losses_.size() * sizeof(double));
  ++recorded_;
  ++updates_;
}

void AlignmentStep::step() {
  distributed::mark_phase(distributed::Phase::kForward);
  forward();
  join_columns();
  record_losses();
  distributed::mark_phase(distributed::Phase::kBackward);
  backward();
  distributed::mark_phase(distributed::Phase::kReduce);
  update(tree_.sum());
}

kernels::InfoNceBlock AlignmentStep::block(std::size_t i) const {
  const std::int64_t first = cut_.row(mine_.begin + i);
  return {unit_.data() + (first - first_row_) * width_, batches_.columns(), first,
          cut_.row(mine_.begin + i + 1) - first,        cut_.rows,          width_,
          static_cast<float>(options_.temperature)};
}

// Of the own rows: unit_, and the statistics of their scores by block.
void AlignmentStep::forward() {
  projector_.forward(own_rows_, batches_.text(), activations_, unit_.data());
  kernels::unit_rows(place_.queue, own_rows_, width_, unit_.data(), unit_.data(), norms_.data());
  for (std::size_t i = 0; i < mine_.size(); ++i) {
    const kernels::InfoNceBlock rows = block(i);
    const std::int64_t first = rows.first_row - first_row_;
    kernels::info_nce_forward(place_.queue, rows, row_lse_.data() + first,
                              own_lse_.data() + static_cast<std::int64_t>(i) * cut_.rows,
                              positive_.data() + first);
  }
}

void AlignmentStep::join_columns() {
  const double* partial = own_lse_.data();
  if (place_.device.size() > 1) {
    place_.device
        .all_gather_v_async(own_lse_.data(), all_lse_.data(),
                            cut_.counts(place_.device.size(), 0, cut_.rows),
                            distributed::DType::kFloat64)
        .hold(place_.queue);
    partial = all_lse_.data();
  }
  kernels::combine_column_lse(place_.queue, partial, cut_.blocks, cut_.rows, column_lse_.data());
}

void AlignmentStep::record_losses() {
  for (std::size_t i = 0; i < mine_.size(); ++i) {
    const kernels::InfoNceBlock rows = block(i);
    const std::int64_t first = rows.first_row - first_row_;
    kernels::info_nce_loss(place_.queue, rows, row_lse_.data() + first, column_lse_.data(),
                           positive_.data() + first, step_losses_.data() + i);
  }
}

// A leaf of the tree from each of the own blocks.
void AlignmentStep::backward() {
  const float weight = 1.0F / static_cast<float>(cut_.rows);
  for (std::size_t i = 0; i < mine_.size(); ++i) {
    const kernels::InfoNceBlock rows = block(i);
    const std::int64_t first = rows.first_row - first_row_;
    kernels::info_nce_backward(place_.queue, rows, row_lse_.data() + first, column_lse_.data(),
                               weight, slopes_.data() + first * width_, nullptr);
  }
  kernels::unit_rows_backward(place_.queue, own_rows_, width_, unit_.data(), norms_.data(),
                              slopes_.data(), slopes_.data());
  projector_.backward_rows(own_rows_, slopes_.data(), activations_);
  for (std::size_t i = 0; i < mine_.size(); ++i) {
    const kernels::InfoNceBlock rows = block(i);
    projector_.backward_parameters(rows.first_row - first_row_, rows.rows, batches_.text(),
                                   slopes_.data(), activations_, tree_.leaf(i));
  }
}

void AlignmentStep::update(const float* gradient) {
  DeviceArray<float>& parameters = projector_.parameters();
  kernels::adam_by_stored_rates(place_.queue, rates_.data(),
                                static_cast<std::int64_t>(parameters.size()), gradient,
                                parameters.data(), first_moment_.data(), second_moment_.data());
}

// The mean over items of each step, summed in block order.
std::vector<double> AlignmentStep::losses() {
  if (place_.device.size() > 1) {
    place_.device.barrier();
  }
  const std::vector<double> own = losses_.host();
  const int ranks = place_.host.size();
  std::vector<double> all(static_cast<std::size_t>(recorded_ * cut_.blocks));
  place_.host.all_gather_v(own.data(), all.data(), cut_.counts(ranks, 0, recorded_),
                           distributed::DType::kFloat64);
  std::vector<double> sums(static_cast<std::size_t>(recorded_));
  std::size_t next = 0;
  for (const distributed::Range& part : cut_.parts(ranks)) {
    for (double& sum : sums) {
      for (std::size_t block = 0; block < part.size(); ++block) {
        sum += all[next++];
      }
    }
  }
  for (double& sum : sums) {
    sum /= static_cast<double>(cut_.rows);
  }
  return sums;
}

}  // namespace rallrec::train
