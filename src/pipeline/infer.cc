#include "pipeline/infer.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/check.h"
#include "core/error.h"
#include "core/stopwatch.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "models/llm/causal_lm.h"
#include "pipeline/prompt_text.h"
#include "train/peft_adapter.h"
#include "train/prompt_reader.h"
#include "train/scorer.h"

namespace rallrec::pipeline {
namespace {

using models::llm::CausalLm;
using models::llm::LoraAdapter;

// What every file that is scored shares: loaded once.
struct Scorer {
  PromptText text;
  text::LabelWords words;
  std::unique_ptr<CausalLm> model;
};

Scorer load(const std::string& folder, const config::Options& options) {
  PromptText text(folder, options);
  const text::LabelWords words = text::label_words(text.tokenizer());
  return {std::move(text), words, models::llm::load_causal_lm(folder, options.model.quant)};
}

void write_scores(const InferFiles& files, std::int64_t max_bad_rows,
                  const train::PromptEncoder& encoder, const std::vector<train::Score>& scores) {
  io::JsonlOptions policy;
  policy.bad_rows.max_bad_rows = max_bad_rows;
  io::JsonlFile input(files.input, policy,
                      [&](const io::JsonRecord& record) { encoder.check(record); });
  RALLREC_CHECK(input.size() == static_cast<std::int64_t>(scores.size()),
                files.input + " changed while it was scored");
  io::JsonlWriter output(files.output);
  for (std::int64_t i = 0; i < input.size(); ++i) {
    const train::Score& score = scores[static_cast<std::size_t>(i)];
    const io::JsonRecord record = input.read(i);
    io::JsonObjectWriter line;
    line.add_members(record.members(), {"score", "score_squashed", "logit_yes", "logit_no"});
    line.add("score", score.probability());
    if (files.squashed) {
      line.add("score_squashed", score.squashed);
    }
    line.add("logit_yes", score.logit_yes).add("logit_no", score.logit_no);
    output.write(line);
  }
  output.commit();
}

void score_file(Scorer& scorer, const LoraAdapter* adapter, const InferFiles& files,
                const config::Options& options, distributed::Communicator& communicator) {
  const train::PromptEncoder encoder =
      scorer.text.encoder(train::PromptEncoder::Answer::kLeftToModel);
  const train::PromptDataset prompts =
      train::read_prompts(files.input, encoder, options.data.max_bad_rows, communicator);
  const train::ScoringOptions scoring = {options.infer.token_budget, files.squashed};
  const Stopwatch watch;
  const std::vector<train::Score> scores =
      train::score_prompts(*scorer.model, adapter, prompts, scorer.words, scoring, communicator);
  const double seconds = watch.seconds();
  if (communicator.rank() == 0) {
    write_scores(files, options.data.max_bad_rows, encoder, scores);
    spdlog::info("{} prompts, {} tokens scored on {} in {:.3f} s: {}", prompts.size(),
                 prompts.tokens(), scorer.model->quant(), seconds, files.output);
  }
  communicator.barrier();
}

std::optional<LoraAdapter> load_adapter(const std::string& folder, const CausalLm& model) {
  if (folder.empty()) {
    return std::nullopt;
  }
  return train::read_peft_adapter(folder, model.config());
}

}  // namespace

void infer(const InferFiles& files, const config::Options& options,
           distributed::Communicator& communicator) {
  Scorer scorer = load(files.model, options);
  const std::optional<LoraAdapter> adapter = load_adapter(files.adapter, *scorer.model);
  score_file(scorer, adapter ? &*adapter : nullptr, files, options, communicator);
}

void run_infer(StageContext& context) {
  const std::string& run = context.run_dir;
  Scorer scorer = load(context.options.model.path, context.options);
  const LoraAdapter adapter =
      train::read_peft_adapter(run + "/tune/adapter", scorer.model->config());
  InferFiles files;
  files.input = run + "/prompt/test.jsonl";
  files.output = run + "/infer/scores.jsonl";
  score_file(scorer, &adapter, files, context.options, context.communicator);
  if (!context.options.infer.zero_shot) {
    return;
  }
  const std::string zero_shot = run + "/prompt/zero_shot.jsonl";
  files.input = io::file_exists(zero_shot) ? zero_shot : files.input;
  files.output = run + "/infer/zero_shot_scores.jsonl";
  score_file(scorer, nullptr, files, context.options, context.communicator);
}

}  // namespace rallrec::pipeline
