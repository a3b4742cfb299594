#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "data/history.h"
#include "text/prompt_template.h"
#include "text/reranker.h"

namespace rallrec::pipeline {

// Which interactions of a history a prompt shows. They are named by their place in the history, 0 =
// oldest.
struct HistoryChoice {
  // At most K, the most relevant first.
  std::vector<std::int32_t> by_relevance;
  // Shown oldest first instead of most relevant first.
  bool in_time_order = false;

  // The `count` most relevant in the order in which they are shown.
  std::vector<std::int32_t> shown(std::size_t count) const;
};

// Whether a view needs the similarity ranking of retrieve.
bool uses_retrieval(text::View view);

// Eq. 8's options as section [prompt] states them; throws usage on wrong words.
text::RerankOptions rerank_options(const config::PromptOptions& options);

// All places of a history, newest first, but those of item `without` (-1: leave nothing out).
std::vector<std::int32_t> newest_places(const data::History& history, std::int32_t without);

// What to show of the places `rows` (newest_places), of which `newest` (newest first) are the
// retrieval candidates, each item once, and `similar` the same by similarity to the target, nearest
// first.
HistoryChoice choose_history(text::View view, const std::vector<std::int32_t>& rows,
                             const std::vector<std::int32_t>& newest,
                             const std::vector<std::int32_t>& similar,
                             const text::RerankOptions& options);

}  // namespace rallrec::pipeline
