#include "train/ctr_epoch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/rng.h"

namespace rallrec::train {
namespace {

// Separates the order of samples from other uses of the same seed.
constexpr std::uint64_t kOrderStream = std::uint64_t{0x6f72646572} << 24;

// Fisher-Yates from the data's order.
std::vector<std::int64_t> sample_order(std::int64_t count, std::int64_t seed, std::int64_t epoch) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  Rng rng(static_cast<std::uint64_t>(seed), kOrderStream + static_cast<std::uint64_t>(epoch));
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[rng.next_below(i)]);
  }
  return order;
}

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
  const auto order = sample_order(size, options.seed, epoch);
  const std::int64_t batch_size = std::min(options.batch_size, size);
  const std::int64_t blocks = step.blocks_of(batch_size);  // of every batch but the last
  const std::int64_t batches = (size + batch_size - 1) / batch_size;
  std::vector<double> losses(static_cast<std::size_t>(batches * blocks));
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const std::int64_t first = batch * batch_size;
    step.train(samples, order.data() + first, std::min(batch_size, size - first), epoch,
               losses.data() + batch * blocks);
  }
  // Each rank's own blocks; the others' are 0 here, and adding that changes no bit.
  communicator.all_reduce(losses.data(), losses.size(), distributed::DType::kFloat64);
  require_finite(losses, blocks, epoch);
  return std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(size);
}

}  // namespace rallrec::train
