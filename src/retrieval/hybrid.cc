#include "retrieval/hybrid.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace rallrec::retrieval {
namespace {

// The joined list of one sample.
struct JoinedList {
  std::vector<std::int32_t> places;
  std::vector<float> scores;

  // Appends from list number `sample` what is not there yet, until there are `limit`.
  void take(const Neighbours& from, std::size_t sample, std::size_t limit) {
    for (auto at = static_cast<std::size_t>(from.offsets[sample]);
         at < static_cast<std::size_t>(from.offsets[sample + 1]) && places.size() < limit; ++at) {
      if (std::find(places.begin(), places.end(), from.places[at]) == places.end()) {
        places.push_back(from.places[at]);
        scores.push_back(from.scores[at]);
      }
    }
  }
};

// The shares of the values of [begin, end) in the sum of their exponentials.
std::vector<double> softmax(const std::vector<float>& values, std::size_t begin, std::size_t end) {
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto last = values.begin() + static_cast<std::ptrdiff_t>(end);
  const double largest = *std::max_element(first, last);
  std::vector<double> shares;
  double sum = 0.0;
  for (auto value = first; value != last; ++value) {
    shares.push_back(std::exp(*value - largest));
    sum += shares.back();
  }
  for (double& share : shares) {
    share /= sum;
  }
  return shares;
}

}  // namespace

Neighbours join_halves(const Neighbours& first, const Neighbours& second, std::int64_t k) {
  RALLREC_CHECK(first.samples == second.samples, "both lists are of the same samples");
  Neighbours joined;
  for (std::size_t sample = 0; sample < first.samples.size(); ++sample) {
    JoinedList list;
    list.take(first, sample, static_cast<std::size_t>((k + 1) / 2));
    list.take(second, sample, static_cast<std::size_t>(k));
    joined.add(first.samples[sample], list.places, list.scores);
  }
  return joined;
}

void join_softmaxes(const std::vector<std::int64_t>& offsets, const std::vector<float>& others,
                    std::vector<float>& scores) {
  for (std::size_t list = 0; list + 1 < offsets.size(); ++list) {
    const auto begin = static_cast<std::size_t>(offsets[list]);
    const auto end = static_cast<std::size_t>(offsets[list + 1]);
    if (begin == end) {
      continue;
    }
    const std::vector<double> mine = softmax(scores, begin, end);
    const std::vector<double> theirs = softmax(others, begin, end);
    for (std::size_t i = begin; i < end; ++i) {
      scores[i] = static_cast<float>(0.5 * mine[i - begin] + 0.5 * theirs[i - begin]);
    }
  }
}

}  // namespace rallrec::retrieval
