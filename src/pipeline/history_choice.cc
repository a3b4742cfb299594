#include "pipeline/history_choice.h"

#include <algorithm>

#include "core/error.h"

namespace rallrec::pipeline {
namespace {

std::vector<std::int32_t> head(const std::vector<std::int32_t>& items, std::int64_t k) {
  const auto count = std::min<std::size_t>(items.size(), static_cast<std::size_t>(k));
  return {items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count)};
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

std::vector<std::int32_t> newest_places(const data::History& history, std::int32_t without) {
  std::vector<std::int32_t> places;
  for (std::size_t place = history.size(); place > 0; --place) {
    if (history.item(place - 1) != without) {
      places.push_back(static_cast<std::int32_t>(place - 1));
    }
  }
  return places;
}

HistoryChoice choose_history(text::View view, const std::vector<std::int32_t>& rows,
                             const std::vector<std::int32_t>& newest,
                             const std::vector<std::int32_t>& similar,
                             const text::RerankOptions& options) {
  switch (view) {
    case text::View::kSimple:
      return {head(rows, options.k), true};
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
