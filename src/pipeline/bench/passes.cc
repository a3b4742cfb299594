// embed and infer: passes without gradients.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/process_memory.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/model.h"
#include "pipeline/prompt_text.h"
#include "pipeline/text_embedder.h"
#include "train/scorer.h"

namespace rallrec::pipeline {
namespace {

// A batch takes at least one text, whatever its budget.
constexpr std::int64_t kOneByOne = 1;

std::vector<std::int64_t> ids_of(const train::PromptDataset& dataset, std::int64_t prompt,
                                 std::int64_t count) {
  const std::int32_t* ids = dataset.ids_of(prompt);
  return {ids, ids + count};
}

// Two lines: the batches as they are made, and one text at a time.
void print_arms(const BenchRun& run, const std::string& bench, const std::vector<Seconds>& seconds,
                std::int64_t peak, std::int64_t tokens, double apart) {
  BenchLine common;
  common.bench = bench;
  common.peak_bytes = peak;
  common.work = static_cast<double>(tokens);
  common.verified = apart;
  print_pair(common, {"packed", "one by one"}, seconds, run);
}

}  // namespace

void bench_embed(const BenchRun& run) {
  const train::PromptDataset dataset = bench_prompts(run);
  std::vector<std::vector<std::int64_t>> texts;
  for (const std::int64_t prompt : all_prompts(dataset)) {
    texts.push_back(ids_of(dataset, prompt, dataset.size_of(prompt).tokens));
  }
  const std::int64_t before = resident_bytes();
  const auto model = bench_model(run, run.options.model.quant);
  config::EmbedOptions alone = run.options.embed;
  alone.token_budget = kOneByOne;
  const auto embed = [&](const config::EmbedOptions& options) {
    return embed_texts(*model, texts, options, run.communicator);
  };
  const at::Tensor packed = embed(run.options.embed);
  const std::int64_t peak = peak_resident_bytes() - before;
  const at::Tensor single = embed(alone);
  double apart = 0.0;
  if (run.communicator.rank() == 0) {
    apart = 1.0 - at::cosine_similarity(packed, single, 1).min().item<double>();
  }
  run.communicator.broadcast(&apart, 1, distributed::DType::kFloat64, 0);
  require_agreement("embed: vectors packed and alone (1 - cosine)", apart, 1e-4);
  const auto seconds = time_arms({[&] { embed(run.options.embed); }, [&] { embed(alone); }},
                                 run.request.repeats, run.communicator);
  print_arms(run, "embed", seconds, peak, dataset.tokens(), apart);
}

void bench_infer(const BenchRun& run) {
  const train::PromptDataset answered = bench_prompts(run);
  train::PromptDataset prompts(run.request.input);
  for (const std::int64_t prompt : all_prompts(answered)) {
    const std::int64_t question = answered.first_label_of(prompt);
    prompts.add(ids_of(answered, prompt, question), question, prompt + 1);
  }
  const PromptText text(run.request.model, run.options);
  const text::LabelWords words = text::label_words(text.tokenizer());
  const std::int64_t before = resident_bytes();
  const auto model = bench_model(run, run.options.model.quant);
  const auto score = [&](std::int64_t token_budget) {
    return train::score_prompts(*model, nullptr, prompts, words, {token_budget, false},
                                run.communicator);
  };
  const std::vector<train::Score> packed = score(run.options.infer.token_budget);
  const std::int64_t peak = peak_resident_bytes() - before;
  const std::vector<train::Score> single = score(kOneByOne);
  double apart = 0.0;
  for (std::size_t i = 0; i < packed.size(); ++i) {
    apart = std::max(apart, std::abs(packed[i].probability() - single[i].probability()));
  }
  require_agreement("infer: P(yes) packed and alone", apart, 1e-5);
  const auto seconds =
      time_arms({[&] { score(run.options.infer.token_budget); }, [&] { score(kOneByOne); }},
                run.request.repeats, run.communicator);
  print_arms(run, "infer", seconds, peak, prompts.tokens(), apart);
}

}  // namespace rallrec::pipeline
