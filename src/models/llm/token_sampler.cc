#include "models/llm/token_sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/rng.h"

namespace rallrec::models::llm {
namespace {

std::int64_t largest(const float* logits, std::int64_t vocabulary) {
  return std::max_element(logits, logits + vocabulary) - logits;
}

double uniform(std::uint64_t seed, std::uint64_t prompt, std::uint64_t position) {
  const auto words =
      philox4x32(seed, {static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(prompt),
                        static_cast<std::uint32_t>(prompt >> 32), 0x67656E65});
  const std::uint64_t bits = std::uint64_t{words[0]} << 32 | words[1];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

std::int64_t next_id(const float* logits, std::int64_t vocabulary, const GenerationOptions& options,
                     std::uint64_t prompt, std::uint64_t position) {
  if (std::any_of(logits, logits + vocabulary, [](float x) { return std::isnan(x); })) {
    throw Error(ExitCode::kNonFinite, "generation: a logit is not a number");
  }
  const std::int64_t best = largest(logits, vocabulary);
  if (options.temperature <= 0.0) {
    return best;
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(vocabulary));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [logits](std::int64_t a, std::int64_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  std::vector<double> weights(order.size());
  double total = 0.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    weights[i] =
        std::exp((static_cast<double>(logits[order[i]]) - logits[best]) / options.temperature);
    total += weights[i];
  }
  std::size_t nucleus = 0;
  double kept = 0.0;
  while (nucleus < order.size() && (nucleus == 0 || kept < options.top_p * total)) {
    kept += weights[nucleus++];
  }
  double left = uniform(options.seed, prompt, position) * kept;
  for (std::size_t i = 0; i + 1 < nucleus; ++i) {
    left -= weights[i];
    if (left < 0.0) {
      return order[i];
    }
  }
  return order[nucleus - 1];
}

}  // namespace rallrec::models::llm
