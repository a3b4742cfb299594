// A stage is registered here; its inputs, outputs and config sections are what it really reads and
// writes.
#include "pipeline/stage_table.h"

#include <algorithm>

#include "config/did_you_mean.h"
#include "core/error.h"
#include "pipeline/align.h"
#include "pipeline/baseline.h"
#include "pipeline/describe.h"
#include "pipeline/embed.h"
#include "pipeline/evaluate.h"
#include "pipeline/external_inputs.h"
#include "pipeline/infer.h"
#include "pipeline/ingest.h"
#include "pipeline/item_blocks.h"
#include "pipeline/light_gcn.h"
#include "pipeline/partial_texts.h"
#include "pipeline/prompt.h"
#include "pipeline/retrieve.h"
#include "pipeline/tune.h"
#include "train/tune_state.h"

namespace rallrec::pipeline {
namespace {

bool goes_by(const Stage& stage, const std::string& name) {
  return stage.name == name || stage.name.rfind(name + "/", 0) == 0;
}

Stage ingest() {
  Stage stage{"ingest", {}, {"ingest/interactions.h5"}, {"data"}, ModelUse::kNone, &run_ingest};
  stage.external_inputs = data_files;
  return stage;
}

Stage describe() {
  Stage stage{"describe",
              {"ingest/interactions.h5"},
              {"describe/descriptions.jsonl"},
              // Where descriptions are kept changes none, and a person's own are an input.
              {"describe.generate", "describe.max_words", "describe.max_new_tokens",
               "describe.batch_size", "describe.memory_budget", "describe.temperature",
               "describe.top_p", "describe.seed", "prompt.templates", "prompt.chat_format",
               "prompt.date_header", "refcompat.empty_newlines", "refcompat.drop_last_item"},
              ModelUse::kWeights,
              &run_describe};
  stage.external_inputs = describe_files;
  stage.clear = PartialTexts::remove;
  return stage;
}

Stage embed() {
  Stage stage{"embed",
              {"ingest/interactions.h5", "describe/descriptions.jsonl"},
              {"embed/text_embeddings.h5"},
              {"embed", "refcompat.generated_state", "refcompat.drop_last_item"},
              ModelUse::kWeights,
              &run_embed};
  stage.external_inputs = template_files;
  stage.fit = [](Stage& embed, const config::Options& options) {
    if (!embeds_descriptions(options)) {
      embed.inputs = {"ingest/interactions.h5"};
    }
    if (options.refcompat.generated_state) {
      for (const char* key : {"batch_size", "memory_budget", "temperature", "top_p", "seed"}) {
        embed.sections.push_back(std::string("describe.") + key);
      }
    }
  };
  return stage;
}

Stage light_gcn() {
  Stage stage{"light_gcn",
              {"ingest/interactions.h5"},
              {"light_gcn/graph_embeddings.h5"},
              {"light_gcn"},
              ModelUse::kNone,
              &run_light_gcn};
  return stage;
}

Stage align() {
  Stage stage{"align",
              {"embed/text_embeddings.h5", "light_gcn/graph_embeddings.h5"},
              {"align/aligned_embeddings.h5"},
              {"align", "refcompat.description_only", "refcompat.pca_text"},
              ModelUse::kNone,
              &run_align};
  return stage;
}

Stage retrieve() {
  Stage stage{
      "retrieve",
      {"ingest/interactions.h5", "embed/text_embeddings.h5", "light_gcn/graph_embeddings.h5",
       "align/aligned_embeddings.h5"},
      {"retrieve/neighbours.h5"},
      {"retrieve", "data.deduplicate", "prompt.k", "prompt.train_samples", "prompt.valid_samples",
       "prompt.test_samples", "prompt.test_split", "prompt.test_draw", "prompt.seed",
       "refcompat.description_only", "refcompat.pca_text", "refcompat.max_norm",
       "refcompat.cosine_ranking", "refcompat.ml1m_index_shift", "refcompat.text_adapter",
       "refcompat.amazon_hybrid_empty", "refcompat.drop_last_item"},
      ModelUse::kNone,
      &run_retrieve};
  stage.fit = [](Stage& retrieve, const config::Options& options) {
    retrieve.inputs = {"ingest/interactions.h5"};
    for (const std::string& file : block_files(options)) {
      retrieve.inputs.push_back(file);
    }
    if (options.refcompat.text_adapter) {
      retrieve.sections.emplace_back("stages");
    }
  };
  return stage;
}

Stage prompt() {
  Stage stage{
      "prompt",
      {"ingest/interactions.h5"},
      {"prompt/train.jsonl", "prompt/valid.jsonl", "prompt/test.jsonl", "prompt/zero_shot.jsonl"},
      {"prompt", "data.label_threshold", "data.deduplicate", "data.dataset",
       "refcompat.rerank_two_thirds", "refcompat.rerank_repeat_bug",
       "refcompat.first_2048_of_mixed", "refcompat.right_truncation"},
      ModelUse::kTokenizer,
      &run_prompt};
  stage.optional_inputs = {"retrieve/neighbours.h5"};
  stage.external_inputs = template_files;
  stage.fit = [](Stage& prompt, const config::Options& options) {
    prompt.optional_inputs.clear();
    if (shows_neighbours(options)) {
      prompt.inputs.emplace_back("retrieve/neighbours.h5");
    }
  };
  return stage;
}

Stage tune() {
  Stage stage{"tune",
              {"prompt/train.jsonl", "prompt/valid.jsonl"},
              {"tune/adapter", "tune/metrics.jsonl"},
              // How often checkpoints are written and how many are kept changes no result.
              {"tune.epochs",
               "tune.max_steps",
               "tune.learning_rate",
               "tune.warmup_steps",
               "tune.batch_size",
               "tune.token_budget",
               "tune.lora_r",
               "tune.lora_alpha",
               "tune.lora_dropout",
               "tune.target_modules",
               "tune.max_grad_norm",
               "tune.patience",
               "tune.select_on",
               "tune.shown_answers",
               "tune.seed",
               "prompt.chat_format",
               "prompt.cutoff",
               "prompt.date_header",
               "refcompat.double_bos",
               "refcompat.labels_include_newline",
               "refcompat.no_end_of_turn",
               "refcompat.right_truncation"},
              ModelUse::kWeights,
              &run_tune};
  stage.clear = train::clear_tune_folder;
  stage.fit = [](Stage& tune, const config::Options& options) {
    tune.inputs = {"prompt/train.jsonl", "prompt/" + options.tune.select_on + ".jsonl"};
  };
  return stage;
}

Stage infer() {
  Stage stage{"infer",
              {"prompt/test.jsonl", "tune/adapter"},
              {"infer/scores.jsonl"},
              {"infer", "prompt.chat_format", "prompt.cutoff", "prompt.date_header",
               "refcompat.float_base_at_inference", "refcompat.right_truncation"},
              ModelUse::kWeights,
              &run_infer};
  stage.optional_inputs = {"prompt/zero_shot.jsonl"};
  stage.optional_outputs = {"infer/zero_shot_scores.jsonl"};
  stage.external_inputs = adapter_files;
  stage.fit = [](Stage& infer, const config::Options& options) {
    if (!options.infer.adapter.empty()) {
      infer.inputs = {"prompt/test.jsonl"};
    }
  };
  return stage;
}

Stage evaluate() {
  Stage stage{"evaluate",
              {"infer/scores.jsonl"},
              {"evaluate/metrics.json"},
              {"evaluate", "infer.zero_shot", "infer.adapter", "refcompat.squash_prob",
               "refcompat.eval_first_10000"},
              ModelUse::kNone,
              &run_evaluate};
  stage.optional_inputs = {"infer/zero_shot_scores.jsonl"};
  stage.fit = [](Stage& evaluate, const config::Options& options) {
    evaluate.inputs = {scores_of_run(options)};
    if (scored_model(options) != "tuned" || !has_zero_shot_scores(options)) {
      evaluate.optional_inputs.clear();
    }
  };
  return stage;
}

}  // namespace

const std::vector<Stage>& stage_table() {
  static const std::vector<Stage> table = {ingest(), describe(), embed(),  light_gcn(),
                                           align(),  retrieve(), prompt(), tune(),
                                           infer(),  evaluate()};
  return table;
}

std::vector<Stage> run_table(const config::Options& options) {
  std::vector<Stage> table = stage_table();
  table.insert(table.end() - 1, find_stage(baseline_table(), "baseline/" + options.baseline.model));
  return table;
}

const Stage& find_stage(const std::vector<Stage>& table, const std::string& name) {
  std::vector<std::string> names;
  for (const Stage& stage : table) {
    if (goes_by(stage, name)) {
      return stage;
    }
    names.push_back(stage.name);
  }
  throw_usage("no stage is called '" + name + "'" + config::did_you_mean(name, names));
}

std::vector<Stage> select_stages(const std::vector<Stage>& table,
                                 const std::vector<std::string>& names,
                                 const config::Options& options) {
  for (const std::string& name : names) {
    find_stage(table, name);
  }
  std::vector<Stage> stages;
  for (const Stage& stage : table) {
    const bool named = std::any_of(names.begin(), names.end(), [&stage](const std::string& name) {
      return goes_by(stage, name);
    });
    if (names.empty() || named) {
      stages.push_back(stage);
      if (stage.fit != nullptr) {
        stage.fit(stages.back(), options);
      }
    }
  }
  return stages;
}

}  // namespace rallrec::pipeline
