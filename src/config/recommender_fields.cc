// Keys of the stages from prompts to metrics.
#include "config/field.h"

namespace rallrec::config {
namespace {

void add_prompt(std::vector<Field>& list) {
  using Prompt = PromptOptions;
  const Strings views = {"simple", "sequential", "high", "rerank"};
  SectionFields<Prompt>(list, "prompt", &Options::prompt)
      .add("templates", &Prompt::templates, anything(), "file with the wording")
      .add("chat_format", &Prompt::chat_format, one_of({"auto", "llama3", "chatml", "plain"}),
           "auto (by the tokenizer's special tokens), llama3, chatml or plain")
      .add("k", &Prompt::k, between(1, 1 << 20), "interactions shown in a prompt")
      .add("train_samples", &Prompt::train_samples, at_least(0),
           "distinct training samples; each becomes one prompt per train view; 0 = all")
      .add("train_views", &Prompt::train_views, some_of(views), "views of the training prompts")
      .add("test_view", &Prompt::test_view, one_of(views), "view of the test prompts")
      .add("zero_shot_view", &Prompt::zero_shot_view, one_of(views),
           "view of the zero-shot comparison")
      .add("valid_samples", &Prompt::valid_samples, at_least(0), "valid prompts; 0 = all")
      .add("test_samples", &Prompt::test_samples, at_least(0),
           "test prompts in time order; 0 = all")
      .add("test_split", &Prompt::test_split, one_of({"test", "valid"}),
           "which split test prompts are of; valid: for choosing settings")
      .add("test_draw", &Prompt::test_draw, one_of({"first", "random"}),
           "which test prompts: the first in time or drawn from all")
      .add("rerank_alpha", &Prompt::rerank_alpha, ratio(),
           "weight of the embedding channel in eq. 8, as a ratio")
      .add("rerank_beta", &Prompt::rerank_beta, real_between(0.0, 1e3),
           "exponent of the rank in eq. 8")
      .add("rerank_combine", &Prompt::rerank_combine, one_of({"max", "sum"}),
           "score of an item in both channels: max or sum")
      .add("rerank_order", &Prompt::rerank_order, one_of({"score", "time"}),
           "order of the history in the prompt: score or time")
      .add("list_format", &Prompt::list_format, one_of({"python", "json", "plain"}),
           "how a history is written: python, json or plain")
      .add("cutoff", &Prompt::cutoff, between(16, 1 << 20),
           "longest prompt in tokens; the history is shortened to fit")
      .add("date_header", &Prompt::date_header, anything(),
           "a fixed date line where the model's chat template has one")
      .add("seed", &Prompt::seed, at_least(0), "seed of the choice of samples");
}

void add_tune(std::vector<Field>& list) {
  using Tune = TuneOptions;
  SectionFields<Tune>(list, "tune", &Options::tune)
      .add("epochs", &Tune::epochs, at_least(1), "passes over the training prompts")
      .add("max_steps", &Tune::max_steps, at_least(0),
           "optimizer steps; wins over epochs where positive")
      .add("learning_rate", &Tune::learning_rate, real_positive(), "largest step size of Adam")
      .add("warmup_steps", &Tune::warmup_steps, at_least(0),
           "steps of linear warm-up before the linear decay to 0")
      .add("batch_size", &Tune::batch_size, between(1, 1 << 30),
           "prompts per optimizer step, over all ranks")
      .add("token_budget", &Tune::token_budget, between(1, 1 << 24),
           "tokens per packed micro-batch")
      .add("memory_budget", &Tune::memory_budget, between(0, 1 << 30),
           "MiB per rank for activations kept for the backward pass; changes no result")
      .add("lora_r", &Tune::lora_r, between(1, 65536), "rank of the adapter")
      .add("lora_alpha", &Tune::lora_alpha, real_positive(), "adapter scale times lora_r")
      .add("lora_dropout", &Tune::lora_dropout, real_between(0.0, 1.0, false, true),
           "share of adapter inputs dropped")
      .add("target_modules", &Tune::target_modules,
           some_of({"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}),
           "linear layers that get an adapter")
      .add("max_grad_norm", &Tune::max_grad_norm, real_between(0.0, 1e9),
           "largest gradient norm; 0 = no clipping")
      .add("checkpoint_every", &Tune::checkpoint_every, at_least(0),
           "steps between checkpoints; 0 = at the end of each epoch")
      .add("keep_checkpoints", &Tune::keep_checkpoints, at_least(1),
           "newest checkpoints that are kept")
      .add("patience", &Tune::patience, at_least(0),
           "epochs without a better valid loss before training stops; 0 = never")
      .add("select_on", &Tune::select_on, one_of({"valid", "test"}),
           "prompts that choose the adapter: valid, or test (a leak of the authors' code)")
      .add("shown_answers", &Tune::shown_answers, anything(),
           "also learn each Yes or No that a prompt shows after a colon")
      .add("seed", &Tune::seed, at_least(0), "seed of initial values, order and dropout");
}

void add_baseline(std::vector<Field>& list) {
  using Baseline = BaselineOptions;
  SectionFields<Baseline>(list, "baseline", &Options::baseline)
      .add("model", &Baseline::model, one_of({"deep_fm", "x_deep_fm", "dcn", "auto_int"}),
           "of stage baseline: deep_fm, x_deep_fm, dcn or auto_int")
      .add("epochs", &Baseline::epochs, at_least(1), "passes over the training samples at most")
      .add("patience", &Baseline::patience, at_least(1),
           "epochs without a better valid AUC before training stops")
      .add("batch_size", &Baseline::batch_size, between(1, 1 << 30), "samples per step")
      .add("block_size", &Baseline::block_size, between(1, 1 << 20),
           "samples computed together: what ranks and threads share out")
      .add("embedding_size", &Baseline::embedding_size, between(1, 65536),
           "columns per feature embedding")
      .add("learning_rate", &Baseline::learning_rate, real_positive(), "Adam's step size")
      .add("dropout", &Baseline::dropout, real_between(0.0, 1.0, false, true),
           "share of the MLP's hidden units dropped")
      .add("l2", &Baseline::l2, real_between(0.0, 1e3),
           "weight of half the squared norm of the parameters of a step")
      .add("mlp_sizes", &Baseline::mlp_sizes, sizes(), "hidden units of the MLP's layers")
      .add("cross_layers", &Baseline::cross_layers, between(1, 64),
           "dcn: layers of the cross network")
      .add("cin_sizes", &Baseline::cin_sizes, sizes(),
           "x_deep_fm: feature maps of the layers of the interaction network")
      .add("attention_layers", &Baseline::attention_layers, between(1, 64),
           "auto_int: interacting layers")
      .add("attention_heads", &Baseline::attention_heads, between(1, 1024),
           "auto_int: heads of a layer")
      .add("attention_size", &Baseline::attention_size, between(1, 65536),
           "auto_int: columns of a layer, a multiple of attention_heads")
      .add("leave_out", &Baseline::leave_out, anything(), "columns that are no features")
      .add("history", &Baseline::history, between(0, 1 << 20),
           "latest items of the history as one more, averaged field; 0 = none")
      .add("seed", &Baseline::seed, at_least(0), "seed of initial values, order and dropout");
}

}  // namespace

void add_recommender_fields(std::vector<Field>& list) {
  add_prompt(list);
  add_tune(list);
  SectionFields<InferOptions>(list, "infer", &Options::infer)
      .add("token_budget", &InferOptions::token_budget, between(1, 1 << 24),
           "tokens per packed forward pass")
      .add("adapter", &InferOptions::adapter, anything(),
           "empty = the run's own, none = the bare model, else a PEFT folder")
      .add("zero_shot", &InferOptions::zero_shot, anything(),
           "also score the test prompts without the adapter")
      .add("squashed", &InferOptions::squashed, anything(),
           "also write score_squashed, the authors' double softmax");
  add_baseline(list);
  SectionFields<EvaluateOptions>(list, "evaluate", &Options::evaluate)
      .add("bootstrap_samples", &EvaluateOptions::bootstrap_samples, between(0, 10000000),
           "resamples of the user-clustered bootstrap")
      .add("seed", &EvaluateOptions::seed, at_least(0), "seed of the bootstrap");
}

}  // namespace rallrec::config
