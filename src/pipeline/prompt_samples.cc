#include "pipeline/prompt_samples.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace rallrec::pipeline {
namespace {

// Streams of the permutation, so that the draws from the splits are unrelated.
constexpr std::uint64_t kTrainDraw = 0;
constexpr std::uint64_t kValidDraw = 1;
constexpr std::uint64_t kTestDraw = 2;

std::int32_t count_of(std::int64_t asked, data::SampleRange range, const char* key) {
  if (asked < 0) {
    throw_usage(std::string("prompt.") + key + " is " + std::to_string(asked) +
                "; expected 0 (all) or a positive number");
  }
  return asked == 0 || asked > range.size() ? range.size() : static_cast<std::int32_t>(asked);
}

std::vector<std::int32_t> draw(data::SampleRange range, std::int32_t count, std::int64_t seed,
                               std::uint64_t stream) {
  std::vector<std::int32_t> drawn;
  drawn.reserve(static_cast<std::size_t>(count));
  const auto size = static_cast<std::uint64_t>(range.size());
  for (std::int32_t i = 0; i < count; ++i) {
    const std::uint64_t image = permuted_index(static_cast<std::uint64_t>(seed), stream,
                                               static_cast<std::uint64_t>(i), size);
    drawn.push_back(range.begin + static_cast<std::int32_t>(image));
  }
  return drawn;
}

std::vector<std::int32_t> draw_in_order(data::SampleRange range, std::int32_t count,
                                        std::int64_t seed, std::uint64_t stream) {
  std::vector<std::int32_t> drawn = draw(range, count, seed, stream);
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace

std::vector<std::int32_t> PromptSamples::all() const {
  std::vector<std::int32_t> samples = train;
  samples.insert(samples.end(), valid.begin(), valid.end());
  samples.insert(samples.end(), test.begin(), test.end());
  std::sort(samples.begin(), samples.end());
  samples.erase(std::unique(samples.begin(), samples.end()), samples.end());  // valid as test
  return samples;
}

PromptSamples prompt_samples(const data::SampleTable& samples,
                             const config::PromptOptions& options) {
  const data::SampleRange train = range_of(samples, data::Split::kTrain);
  const data::SampleRange valid = range_of(samples, data::Split::kValid);
  const data::SampleRange test =
      options.test_split == "valid" ? valid : range_of(samples, data::Split::kTest);
  PromptSamples chosen;
  chosen.train = draw(train, count_of(options.train_samples, train, "train_samples"), options.seed,
                      kTrainDraw);
  chosen.valid = draw_in_order(valid, count_of(options.valid_samples, valid, "valid_samples"),
                               options.seed, kValidDraw);
  const std::int32_t tests = count_of(options.test_samples, test, "test_samples");
  if (options.test_draw == "random") {
    chosen.test = draw_in_order(test, tests, options.seed, kTestDraw);
  } else {
    chosen.test.resize(static_cast<std::size_t>(tests));
    std::iota(chosen.test.begin(), chosen.test.end(), test.begin);
  }
  return chosen;
}

}  // namespace rallrec::pipeline
