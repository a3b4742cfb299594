#include "pipeline/history_choice.h"

#include <algorithm>

#include "core/error.h"

namespace rallrec::pipeline {
namespace {

std::vector<std::int32_t> head(const std::vector<std::int32_t>& items, std::int64_t k) {
  const auto count = std::min<std::size_t>(items.size(), static_cast<std::size_t>(k));
  return {items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::vector<std::int32_t> last_places(std::int32_t history_size, std::int64_t k) {
  std::vector<std::int32_t> places;
  for (std::int32_t i = history_size - 1; i >= 0 && history_size - i <= k; --i) {
    places.push_back(i);
  }
  return places;
}

}  // namespace

std::vector<std::int32_t> HistoryChoice::shown(std::size_t count) const {
  std::vector<std::int32_t> places = head(by_relevance, static_cast<std::int64_t>(count));
  if (in_time_order) {
    std::sort(places.begin(), places.end());
  }
  return places;
}

bool uses_retrieval(text::View view) { return view != text::View::kSimple; }

text::RerankOptions rerank_options(const config::PromptOptions& options) {
  if (options.k < 1) {
    throw_usage("prompt.k is " + std::to_string(options.k) + "; expected 1 or more");
  }
  text::RerankOptions result;
  result.k = options.k;
  result.alpha = text::ratio_from(options.rerank_alpha, "prompt.rerank_alpha");
  result.beta = options.rerank_beta;
  result.combine = text::rerank_combine_from(options.rerank_combine);
  result.order = text::rerank_order_from(options.rerank_order);
  return result;
}

HistoryChoice choose_history(text::View view, std::int32_t history_size,
                             const std::vector<std::int32_t>& newest,
                             const std::vector<std::int32_t>& similar,
                             const text::RerankOptions& options) {
  switch (view) {
    case text::View::kSimple:
      return {last_places(history_size, options.k), true};
    case text::View::kHigh:
      return {head(similar, options.k), false};
    case text::View::kSequential:
      return {head(similar, options.k), true};
    case text::View::kRerank: {
      // The order of relevance is needed to shorten a prompt, whatever order it is shown in.
      text::RerankOptions by_score = options;
      by_score.order = text::RerankOrder::kScore;
      return {text::rerank(similar, newest, by_score), options.order == text::RerankOrder::kTime};
    }
  }
  throw Error("unknown view");
}

}  // namespace rallrec::pipeline
