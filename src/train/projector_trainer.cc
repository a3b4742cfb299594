#include "train/projector_trainer.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/error.h"
#include "distributed/flight_marks.h"
#include "train/alignment_cut.h"
#include "train/alignment_step.h"

namespace rallrec::train {
namespace {

// Steps that are enqueued before the host looks at their losses.
constexpr std::int64_t kStepsPerLook = 16;

void require_finite(double loss, std::int64_t step) {
  if (!std::isfinite(loss)) {
    throw Error(ExitCode::kNonFinite, "align: the loss of step " + std::to_string(step) +
                                          " is not finite; a smaller align.learning_rate may help");
  }
}

}  // namespace

AlignmentBounds alignment_bounds(std::int64_t count, double temperature) {
  if (count < 2) {
    return {};
  }
  const auto n = static_cast<double>(count);
  return {2.0 * std::log(n),
          2.0 * std::log1p((n - 1.0) * std::exp(-n / ((n - 1.0) * temperature)))};
}

std::vector<double> train_projector(models::Projector& projector, const std::vector<float>& text,
                                    const std::vector<float>& graph,
                                    const config::AlignOptions& options,
                                    const distributed::Place& place,
                                    const std::function<void(std::int64_t, double)>& on_step) {
  AlignmentStep trainer(projector, text, graph, options, place);
  std::vector<double> losses;
  for (std::int64_t done = 0; done < options.steps;) {
    const std::int64_t steps = std::min(kStepsPerLook, options.steps - done);
    trainer.begin(steps);
    for (std::int64_t step = 0; step < steps; ++step) {
      distributed::mark_step(done + step + 1);
      trainer.run();
    }
    for (const double loss : trainer.losses()) {
      require_finite(loss, ++done);
      losses.push_back(loss);
      if (on_step) {
        on_step(done, loss);
      }
    }
  }
  distributed::mark_phase(distributed::Phase::kData);
  return losses;
}

std::vector<float> project_rows(const models::Projector& projector, const std::vector<float>& text,
                                const distributed::Place& place) {
  constexpr const char* kSetting = "the number of items";
  const models::ProjectorShape& shape = projector.shape();
  const AlignmentCut cut(static_cast<std::int64_t>(text.size()) / shape.input);
  const auto mine = cut.parts(place.device.size())[static_cast<std::size_t>(place.device.rank())];
  const std::int64_t first = cut.row(mine.begin);
  const std::int64_t rows = cut.row(mine.end) - first;
  DeviceArray<float> own_text(place.queue, kSetting);
  own_text.assign(text.data() + first * shape.input, static_cast<std::size_t>(rows * shape.input));
  models::ProjectorActivations activations(place.queue, kSetting);
  DeviceArray<float> own(place.queue, kSetting);
  own.resize(static_cast<std::size_t>(rows * shape.output));
  for (std::size_t block = mine.begin; block < mine.end; ++block) {
    const std::int64_t row = cut.row(block) - first;
    projector.forward(cut.row(block + 1) - cut.row(block), own_text.data() + row * shape.input,
                      activations, own.data() + row * shape.output);
  }
  if (place.device.size() == 1) {
    return own.host();
  }
  DeviceArray<float> all(place.queue, kSetting);
  all.resize(static_cast<std::size_t>(cut.rows * shape.output));
  place.device.all_gather_v(own.data(), all.data(),
                            cut.counts(place.device.size(), shape.output, 0),
                            distributed::DType::kFloat32);
  return all.host();
}

}  // namespace rallrec::train
