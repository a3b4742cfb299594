#include "pipeline/infer.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <vector>

#include "core/check.h"
#include "core/error.h"
#include "core/stopwatch.h"
#include "distributed/joint_error.h"
#include "io/files.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "models/llm/causal_lm.h"
#include "pipeline/external_inputs.h"
#include "pipeline/load_model.h"
#include "pipeline/prompt_text.h"
#include "train/prompt_reader.h"
#include "train/scorer.h"

namespace rallrec::pipeline {
namespace {

using models::llm::CausalLm;
using models::llm::LoraAdapter;

// How prompts are turned into ids, and the two words whose logits are compared.
struct Wording {
  Wording(const std::string& model, const config::Options& options)
      : text(model, options), words(text::label_words(text.tokenizer())) {}

  train::PromptEncoder encoder() const {
    return text.encoder(train::PromptEncoder::Answer::kLeftToModel);
  }

  PromptText text;
  text::LabelWords words;
};

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
    add_score(score, files.squashed, line);
    output.write(line);
  }
  output.commit();
}

train::PromptDataset read_file(const Wording& wording, const InferFiles& files,
                               const config::Options& options,
                               distributed::Communicator& communicator) {
  return train::read_prompts(files.input, wording.encoder(), options.data.max_bad_rows,
                             communicator);
}

void score_file(CausalLm& model, const LoraAdapter* adapter, const Wording& wording,
                const train::PromptDataset& prompts, const InferFiles& files,
                const config::Options& options, distributed::Communicator& communicator) {
  const train::ScoringOptions scoring = {options.infer.token_budget, files.squashed};
  const Stopwatch watch;
  const std::vector<train::Score> scores =
      train::score_prompts(model, adapter, prompts, wording.words, scoring, communicator);
  const double seconds = watch.seconds();
  distributed::run_on_rank_0(communicator, [&] {
    write_scores(files, options.data.max_bad_rows, wording.encoder(), scores);
    spdlog::info("{} prompts, {} tokens scored on {} in {:.3f} s: {}", prompts.size(),
                 prompts.tokens(), model.quant(), seconds, files.output);
  });
}

}  // namespace

void add_score(const train::Score& score, bool squashed, io::JsonObjectWriter& line) {
  line.add("score", score.probability());
  if (squashed) {
    line.add("score_squashed", score.squashed);
  }
  line.add("logit_yes", score.logit_yes).add("logit_no", score.logit_no);
}

// Everything that can be wrong is read before the weights, which may take minutes.
void infer(const InferFiles& files, const config::Options& options,
           distributed::Communicator& communicator) {
  const Wording wording(files.model, options);
  const std::optional<LoraAdapter> adapter = load_adapter(files.adapter, files.model);
  const train::PromptDataset prompts = read_file(wording, files, options, communicator);
  const auto model = load_model(files.model, options.model.quant, options, communicator);
  score_file(*model, adapter ? &*adapter : nullptr, wording, prompts, files, options, communicator);
}

std::string adapter_folder(const config::Options& options, const std::string& run_dir) {
  const std::string& named = options.infer.adapter;
  if (named == kNoAdapter) {
    return "";
  }
  return named.empty() ? run_dir + "/tune/adapter" : named;
}

// The authors tune on an int8 base and score on one that was never quantised.
std::string scoring_quant(const config::Options& options) {
  return options.refcompat.float_base_at_inference ? "fp32" : options.model.quant;
}

bool has_zero_shot_scores(const config::Options& options) {
  return options.infer.zero_shot && options.infer.adapter != kNoAdapter;
}

void run_infer(StageContext& context) {
  const std::string& run = context.run_dir;
  const config::Options& options = context.options;
  const Wording wording(options.model.path, options);
  const std::optional<LoraAdapter> adapter =
      load_adapter(adapter_folder(options, run), options.model.path);
  const auto model =
      load_model(options.model.path, scoring_quant(options), options, context.communicator);
  InferFiles files;
  files.squashed = options.infer.squashed;
  std::int64_t prompts = 0;
  std::int64_t tokens = 0;
  const auto score = [&](const LoraAdapter* with) {
    const train::PromptDataset file = read_file(wording, files, options, context.communicator);
    score_file(*model, with, wording, file, files, options, context.communicator);
    prompts += file.size();
    tokens += file.tokens();
  };
  files.input = run + "/prompt/test.jsonl";
  files.output = run + "/infer/scores.jsonl";
  score(adapter ? &*adapter : nullptr);
  if (has_zero_shot_scores(options)) {
    const std::string zero_shot = run + "/prompt/zero_shot.jsonl";
    files.input = io::file_exists(zero_shot) ? zero_shot : files.input;
    files.output = run + "/infer/zero_shot_scores.jsonl";
    score(nullptr);
  }
  context.report.add("prompts", prompts);
  context.report.add("tokens", tokens);
}

}  // namespace rallrec::pipeline
