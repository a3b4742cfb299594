#include "train/ctr_epoch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"
#include "distributed/flight_marks.h"
#include "train/epoch_order.h"

namespace rallrec::train {
namespace {

void require_finite(const std::vector<double>& losses, std::int64_t blocks, std::int64_t epoch) {
  const auto bad =
      std::find_if(losses.begin(), losses.end(), [](double loss) { return !std::isfinite(loss); });
  if (bad != losses.end()) {
    throw Error(ExitCode::kNonFinite,
                "baseline: the loss of epoch " + std::to_string(epoch) + ", batch " +
                    std::to_string((bad - losses.begin()) / blocks + 1) +
                    " is not finite; a smaller baseline.learning_rate may help");
  }
}

}  // namespace

double train_ctr_epoch(CtrStep& step, const data::CtrSamples& samples,
                       const config::BaselineOptions& options, std::int64_t epoch,
                       distributed::Communicator& communicator) {
  const std::int64_t size = samples.size();
  const auto order = epoch_order<std::int64_t>(static_cast<std::size_t>(size),
                                               static_cast<std::uint64_t>(options.seed), epoch);
  const std::int64_t batch_size = std::min(options.batch_size, size);
  const std::int64_t blocks = step.blocks_of(batch_size);  // of every batch but the last
  const std::int64_t batches = (size + batch_size - 1) / batch_size;
  step.begin(batches * blocks);
  distributed::mark_step(epoch);
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    distributed::mark_phase(distributed::Phase::kForward);
    const std::int64_t first = batch * batch_size;
    step.train(samples, order.data() + first, std::min(batch_size, size - first), epoch,
               batch * blocks);
  }
  std::vector<double> losses = step.losses();
  // Each rank's own blocks; the others' are 0 here, and adding that changes no bit.
  communicator.all_reduce(losses.data(), losses.size(), distributed::DType::kFloat64);
  require_finite(losses, blocks, epoch);
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(size);
}

}  // namespace rallrec::train
