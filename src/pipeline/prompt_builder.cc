#include "pipeline/prompt_builder.h"

#include <algorithm>

#include "core/error.h"
#include "pipeline/refcompat_history.h"
#include "pipeline/wording.h"

namespace rallrec::pipeline {

const char* answer_of(std::uint8_t label) { return label != 0 ? "Yes." : "No."; }

PromptBuilder::PromptBuilder(const data::Dataset& dataset, const text::PromptTemplate& wording,
                             const text::ChatTemplate& chat, const config::Options& options)
    : dataset_(dataset),
      wording_(wording),
      chat_(chat),
      rerank_(rerank_options(options.prompt)),
      list_format_(text::list_format_from(options.prompt.list_format)),
      cutoff_(options.prompt.cutoff),
      threshold_(options.data.label_threshold),
      exclude_target_(options.data.deduplicate),
      refcompat_(options.refcompat),
      two_thirds_(text::two_thirds_of(options.data.dataset)),
      filter_(dataset.items.size()) {}

std::string PromptBuilder::write(std::int32_t sample, text::View view, const HistoryChoice& choice,
                                 std::size_t count) const {
  const data::History history = history_of(dataset_, sample);
  std::vector<std::string> elements;
  for (const std::int32_t place : choice.shown(count)) {
    const data::HistoryEntry entry = history[static_cast<std::size_t>(place)];
    elements.push_back(wording_.element(
        {item_fields(dataset_, entry.item), entry.rating, entry.rating > threshold_}));
  }
  return wording_.prompt(view, user_fields(dataset_, dataset_.sample_user(sample)),
                         item_fields(dataset_, dataset_.sample_item(sample)), elements,
                         list_format_, threshold_);
}

std::int64_t PromptBuilder::tokens_of(const std::string& input, std::int32_t sample) const {
  // The frame's own few words must fit beside the input.
  constexpr std::size_t kFrameBytes = 64;
  if (input.size() + kFrameBytes > text::kMaxTextBytes) {
    return cutoff_ + 1;
  }
  const char* answer = answer_of(dataset_.samples.label[static_cast<std::size_t>(sample)]);
  return static_cast<std::int64_t>(chat_.training_ids(wording_.system(), input, answer).ids.size());
}

HistoryChoice PromptBuilder::choose(std::int32_t sample, text::View view,
                                    const std::vector<std::int32_t>& similar) {
  const data::History history = history_of(dataset_, sample);
  const auto size = static_cast<std::int32_t>(history.size());
  const std::int32_t without = exclude_target_ ? dataset_.sample_item(sample) : -1;
  std::vector<std::int32_t> newest = filter_.candidates(history, without);
  std::reverse(newest.begin(), newest.end());
  if (refcompat_.rerank_repeat_bug) {
    newest = newest_by_shifted_places(history, newest);
  }
  if (view == text::View::kRerank && refcompat_.rerank_two_thirds) {
    return {text::rerank_two_thirds(two_thirds_, similar, newest, size, rerank_.k), false};
  }
  return choose_history(view, newest_places(history, without), newest, similar, rerank_);
}

Prompt PromptBuilder::build(std::int32_t sample, text::View view,
                            const std::vector<std::int32_t>& similar) {
  const HistoryChoice choice = choose(sample, view, similar);
  Prompt prompt;
  for (std::size_t count = choice.by_relevance.size();; --count) {
    prompt.input = write(sample, view, choice, count);
    prompt.tokens = tokens_of(prompt.input, sample);
    prompt.dropped = static_cast<std::int64_t>(choice.by_relevance.size() - count);
    if (prompt.tokens <= cutoff_ || refcompat_.right_truncation) {
      return prompt;
    }
    if (count == 0) {
      throw_usage("prompt.cutoff is " + std::to_string(cutoff_) + ", but sample " +
                  std::to_string(sample) + " has more tokens even without a history; raise it");
    }
  }
}

}  // namespace rallrec::pipeline
