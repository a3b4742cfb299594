#include "train/replica_digest.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "io/hash.h"

namespace rallrec::train {

std::string replica_digest(const models::llm::LoraAdapter& adapter, const TrainingState& state) {
  io::Xxh3 hash;
  const auto bytes = static_cast<std::size_t>(adapter.flat().numel()) * sizeof(float);
  hash.update(adapter.flat().const_data_ptr<float>(), bytes);
  hash.update(state.adam.first_moment().data(), bytes);
  hash.update(state.adam.second_moment().data(), bytes);
  const std::int64_t counts[] = {state.step, state.adam.steps(), state.skipped_in_a_row,
                                 state.epochs_without_improvement};
  hash.update(counts, sizeof(counts));
  if (state.best) {
    hash.update(state.best->parameters.data(), bytes);
    hash.update(&state.best->loss, sizeof(state.best->loss));
    hash.update(&state.best->step, sizeof(state.best->step));
  }
  const std::array<std::uint64_t, 2> digest = hash.digest();
  return std::to_string(digest[0]) + "-" + std::to_string(digest[1]);
}

std::vector<int> ranks_that_differ(const std::vector<std::string>& digests) {
  const auto count_of = [&](const std::string& digest) {
    return static_cast<std::size_t>(std::count(digests.begin(), digests.end(), digest));
  };
  std::vector<int> all(digests.size());
  std::iota(all.begin(), all.end(), 0);
  for (const std::string& digest : digests) {
    if (2 * count_of(digest) > digests.size()) {
      std::vector<int> others;
      std::copy_if(all.begin(), all.end(), std::back_inserter(others),
                   [&](int rank) { return digests[static_cast<std::size_t>(rank)] != digest; });
      return others;
    }
  }
  return all;
}

void require_equal_replicas(const models::llm::LoraAdapter& adapter, const TrainingState& state,
                            distributed::Communicator& communicator) {
  const auto digests =
      distributed::all_gather_strings(communicator, replica_digest(adapter, state));
  const std::vector<int> wrong = ranks_that_differ(digests);
  if (wrong.empty()) {
    return;
  }
  const bool majority = wrong.size() < digests.size();
  throw Error(
      ExitCode::kDiverged,
      fmt::format("step {}: adapter and optimizer of rank{} {} {}; suspect the memory of {}, and "
                  "resume from the last checkpoint",
                  state.step, wrong.size() == 1 ? "" : "s", fmt::join(wrong, ", "),
                  majority ? "differ from those of the other ranks"
                           : "differ, and no majority tells which are right",
                  wrong.size() == 1 ? "its host" : "their hosts"));
}

}  // namespace rallrec::train
