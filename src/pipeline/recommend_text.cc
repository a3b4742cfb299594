#include "pipeline/recommend_text.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "pipeline/infer.h"
#include "pipeline/wording.h"
#include "text/prompt_template.h"

namespace rallrec::pipeline {
namespace {

std::string title_of(const data::Dataset& dataset, std::int32_t item) {
  return item_fields(dataset, item)("title");
}

std::string reason_json(const data::Dataset& dataset, const Reason& reason) {
  io::JsonObjectWriter object;
  object.add("item", dataset.items.name(reason.item)).add("title", title_of(dataset, reason.item));
  object.add("rating", reason.rating);
  if (reason.timestamp) {
    object.add("timestamp", *reason.timestamp);
  }
  object.add("similarity", reason.similarity);
  return object.text();
}

std::string reason_text(const data::Dataset& dataset, const Reason& reason) {
  const std::string similarity =
      std::isfinite(reason.similarity) ? fmt::format("{:+.3f}", reason.similarity) : "";
  return fmt::format("{:>14}{:>7}  {} (rated {})\n", "", similarity, title_of(dataset, reason.item),
                     text::rating_text(reason.rating));
}

}  // namespace

io::JsonObjectWriter recommendation_json(const data::Dataset& dataset, const ScoredSamples& scored,
                                         std::int32_t sample, std::int64_t rank) {
  const auto place = static_cast<std::size_t>(sample);
  const std::int32_t item = dataset.sample_item(sample);
  std::string why;
  for (const Reason& reason : scored.reasons[place]) {
    why += (why.empty() ? "" : ", ") + reason_json(dataset, reason);
  }
  io::JsonObjectWriter line;
  line.add("user", dataset.users.name(dataset.sample_user(sample)))
      .add("item", dataset.items.name(item))
      .add("title", title_of(dataset, item))
      .add("rank", rank);
  add_score(scored.scores[place], false, line);
  if (!scored.system.empty()) {
    line.add("system", scored.system);
  }
  line.add("input", scored.inputs[place]).add_json("why", "[" + why + "]");
  return line;
}

std::string recommendation_text(const data::Dataset& dataset, const ScoredSamples& scored,
                                std::int32_t sample, std::int64_t rank, std::int64_t reasons) {
  const auto place = static_cast<std::size_t>(sample);
  const std::int32_t item = dataset.sample_item(sample);
  std::string text =
      fmt::format("{:>4}  {:.4f}  {}  {}\n", rank, scored.scores[place].probability(),
                  dataset.items.name(item), title_of(dataset, item));
  const std::vector<Reason>& all = scored.reasons[place];
  for (std::size_t i = 0; i < all.size() && i < static_cast<std::size_t>(reasons); ++i) {
    text += reason_text(dataset, all[i]);
  }
  return text;
}

}  // namespace rallrec::pipeline
