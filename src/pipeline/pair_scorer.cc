#include "pipeline/pair_scorer.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "data/history.h"
#include "distributed/joint_error.h"
#include "distributed/partition.h"
#include "io/json_parser.h"
#include "io/json_writer.h"
#include "models/llm/causal_lm.h"
#include "pipeline/infer.h"
#include "pipeline/item_blocks.h"
#include "pipeline/load_model.h"
#include "pipeline/prompt_builder.h"
#include "pipeline/prompt_text.h"
#include "pipeline/retrieve.h"
#include "pipeline/wording.h"

namespace rallrec::pipeline {
namespace {

text::View view_of(const config::Options& options) {
  return text::view_from(options.prompt.test_view, "prompt.test_view");
}

std::vector<std::int32_t> places_of(const retrieval::Neighbours& neighbours, std::int32_t sample) {
  if (neighbours.samples.empty()) {
    return {};
  }
  const data::ArrayView<std::int32_t> places = neighbours.of(sample);
  return {places.begin(), places.end()};
}

// This rank's prompts, one JSON text a line.
std::string lines_of(distributed::Range range, const data::Dataset& dataset,
                     const retrieval::Neighbours& neighbours, const text::PromptTemplate& wording,
                     const PromptText& text, const config::Options& options) {
  const text::ChatTemplate chat(text.tokenizer(),
                                {options.prompt.chat_format, options.prompt.date_header});
  PromptBuilder builder(dataset, wording, chat, options);
  std::string lines;
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const auto sample = static_cast<std::int32_t>(i);
    const Prompt prompt = builder.build(sample, view_of(options), places_of(neighbours, sample));
    io::JsonObjectWriter line;
    if (!wording.system().empty()) {
      line.add("system", wording.system());
    }
    line.add("input", prompt.input);
    lines += line.text() + "\n";
  }
  return lines;
}

// The prompts of all ranks as infer reads them from a file.
std::vector<io::JsonRecord> records_of(const std::vector<std::string>& parts) {
  std::vector<io::JsonRecord> records;
  for (const std::string& part : parts) {
    io::for_each_own_line(part, [&records](std::string text, io::JsonValue value) {
      io::Row row;
      row.text = std::move(text);
      row.place.line = records.size() + 1;
      records.emplace_back("prompts", std::move(row), std::move(value));
    });
  }
  return records;
}

std::vector<io::JsonRecord> write_prompts(const data::Dataset& dataset,
                                          const retrieval::Neighbours& neighbours,
                                          const text::PromptTemplate& wording,
                                          const PromptText& text, const StageContext& context) {
  distributed::Communicator& communicator = context.communicator;
  const distributed::Range range = distributed::split_evenly(
      dataset.samples.row.size(), communicator.size(), communicator.rank());
  std::string lines;
  distributed::run_jointly(communicator, [&] {
    lines = lines_of(range, dataset, neighbours, wording, text, context.options);
  });
  return records_of(distributed::all_gather_strings(communicator, lines));
}

std::vector<Reason> reasons_of(const data::Dataset& dataset, std::int32_t sample,
                               const retrieval::Neighbours& neighbours, std::int64_t k) {
  const data::History history = history_of(dataset, sample);
  std::vector<Reason> reasons;
  const auto add = [&](std::size_t place, double similarity) {
    Reason reason;
    reason.item = history.item(place);
    reason.rating = history.rating(place);
    if (dataset.interactions.has_timestamps()) {
      reason.timestamp = history.timestamp(place);
    }
    reason.similarity = similarity;
    reasons.push_back(reason);
  };
  if (!neighbours.samples.empty()) {
    const std::int64_t first = neighbours.offsets[static_cast<std::size_t>(sample)];
    const std::vector<std::int32_t> places = places_of(neighbours, sample);
    for (std::size_t i = 0; i < places.size(); ++i) {
      add(static_cast<std::size_t>(places[i]),
          neighbours.scores[static_cast<std::size_t>(first) + i]);
    }
    return reasons;
  }
  const std::vector<std::int32_t> newest = newest_places(history, dataset.sample_item(sample));
  const auto shown = std::min(newest.size(), static_cast<std::size_t>(k));
  for (std::size_t i = 0; i < shown; ++i) {
    add(static_cast<std::size_t>(newest[i]), std::numeric_limits<double>::quiet_NaN());
  }
  return reasons;
}

std::vector<train::Score> score_records(const std::vector<io::JsonRecord>& records,
                                        const PromptText& text, const StageContext& context) {
  const config::Options& options = context.options;
  const text::LabelWords words = text::label_words(text.tokenizer());
  const train::PromptEncoder encoder = text.encoder(train::PromptEncoder::Answer::kLeftToModel);
  train::PromptDataset prompts("prompts");
  for (const io::JsonRecord& record : records) {
    const train::EncodedPrompt prompt = encoder.encode(record);
    prompts.add(prompt.ids, prompt.first_label, static_cast<std::int64_t>(record.line()));
  }
  const std::optional<models::llm::LoraAdapter> adapter =
      load_adapter(adapter_folder(options, context.run_dir), options.model.path);
  const auto model =
      load_model(options.model.path, scoring_quant(options), options, context.communicator);
  return train::score_prompts(*model, adapter ? &*adapter : nullptr, prompts, words,
                              {options.infer.token_budget, false}, context.communicator);
}

}  // namespace

std::vector<std::string> scoring_files(const config::Options& options) {
  std::vector<std::string> files;
  if (uses_retrieval(view_of(options))) {
    files = block_files(options);
  }
  if (options.infer.adapter.empty()) {
    files.emplace_back("tune/adapter");
  }
  return files;
}

ScoredSamples score_samples(const data::Dataset& dataset, const StageContext& run) {
  // Whatever the run's mode: what the user said of the item itself is no reason for its score.
  config::Options options = run.options;
  options.data.deduplicate = true;
  const StageContext context{options, run.communicator, run.run_dir};
  retrieval::Neighbours neighbours;
  if (uses_retrieval(view_of(options))) {
    std::vector<std::int32_t> samples(dataset.samples.row.size());
    std::iota(samples.begin(), samples.end(), 0);
    neighbours = find_neighbours(dataset, std::move(samples), context);
  }
  const PromptText text(options.model.path, options);
  const text::PromptTemplate wording = load_wording(options.prompt, dataset);
  const std::vector<io::JsonRecord> records =
      write_prompts(dataset, neighbours, wording, text, context);
  ScoredSamples scored;
  scored.system = wording.system();
  for (std::size_t i = 0; i < records.size(); ++i) {
    scored.inputs.push_back(records[i].get_string("input"));
    scored.reasons.push_back(
        reasons_of(dataset, static_cast<std::int32_t>(i), neighbours, options.prompt.k));
  }
  scored.scores = score_records(records, text, context);
  return scored;
}

}  // namespace rallrec::pipeline
