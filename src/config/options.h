// The plain option structs behind a run's TOML file: one struct per section, defaults in place, a
// comment per field (effect, unit, when to change it). A field becomes a key of the file by its
// line in data_fields.cc, embedding_fields.cc, recommender_fields.cc or refcompat_fields.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/device.h"

namespace rallrec::config {

struct DataOptions {
  // Reader: "movielens-100k", "movielens-1m", "book-crossing", "amazon" or "atomic" (RecBole
  // .inter/.item/.user).
  std::string dataset = "atomic";
  // Folder with the raw files. Relative paths are taken from the current folder.
  std::string path;
  // A rating strictly above this is label 1.
  double label_threshold = 3.0;
  // What orders a user's rows: time (timestamp, then user, then item), file (as they stand in the
  // file) or shuffle (as Python's random.shuffle leaves them under `seed`). The last two are for
  // sources without timestamps, whose "earlier" then says nothing about time.
  std::string order = "time";
  // Rows with the rating 0, by which Book-Crossing marks that there is none: dislike keeps them as
  // ratings of 0, drop leaves them out.
  std::string implicit = "dislike";
  // Fields that an item must have, such as title; "unknown" counts as none. Items without one of
  // them are left out with their rows, before the core is taken.
  std::vector<std::string> required_fields;
  // The core: users and items with too few or too many rows are left out in turn until none is.
  // 0 = no bound; core_min_item_rows = 1 leaves out the items of the catalogue that have no row.
  std::int64_t core_min_user_rows = 0;
  std::int64_t core_max_user_rows = 0;
  std::int64_t core_min_item_rows = 0;
  std::int64_t core_max_item_rows = 0;
  // Whose turn comes first: users_first, items_first, or together (both by one count). With upper
  // bounds the core depends on it.
  std::string core_order = "users_first";
  // What is taken of the core: its rows, or its items with all their rows. In the second case
  // required_fields looks at those items after the core is taken.
  std::string core_keeps = "rows";
  // Of the items that are left only so many with most rows are kept; 0 = all.
  std::int64_t frequent_items = 0;
  // Of the users that are left those with fewer rows than this go last.
  std::int64_t min_user_rows = 0;
  // Which rows become samples: all, or the last_per_user.
  std::string samples = "all";
  // Interactions a user must have before one becomes a sample. 0 keeps every row.
  std::int64_t min_history = 5;
  // How samples are split: ordered (train is the oldest) or shuffle (by Python's random.shuffle
  // under `seed`; needs samples = last_per_user, for else a training history would show answers of
  // the test).
  std::string split = "ordered";
  // Share of samples, in the order of `split`, that train and valid get; the rest is test.
  double train_share = 0.8;
  double valid_share = 0.1;
  // Keep only the newest row of a repeated (user, item) pair. Mode clean turns it on.
  bool deduplicate = false;
  // Malformed rows that are set aside in <file>.rejects before reading stops with an error.
  std::int64_t max_bad_rows = 0;
  // Of both shuffles: order and split.
  std::int64_t seed = 42;
};

struct ModelOptions {
  // Hugging Face folder of the LLM.
  std::string path;
  // Compute mode of the frozen weights: auto, llm_int8, w8a16, w8a8, bf16 or fp32. auto is bf16 on
  // GPUs and on CPUs with bf16 instructions, and fp32 elsewhere.
  std::string quant = "auto";
  // Folder in which the quantised layers of 8-bit modes are kept, so that the next start reads half
  // the bytes and quantises nothing; as large as the int8 weights. Empty = none. Changes no result.
  std::string cache;
};

struct ClusterOptions {
  // cpu or cuda.
  std::string device = "cpu";
  // Compute threads per rank; 0 = OMP_NUM_THREADS where set, else its share of the cores it may
  // use.
  std::int64_t threads = 0;
  // Every rank keeps the whole frozen model. Off: an int8 model is shared out over the ranks, whose
  // layers are gathered one by one as they are needed. Changes no result, only memory and traffic.
  bool replicate_base = false;
  // How ranks with GPUs find each other: mpi (over the launcher's), file:PATH (a path that all
  // ranks see) or tcp:HOST:PORT (rank 0 listens). The last two need a token of the job in
  // RALLREC_NCCL_TOKEN.
  std::string nccl_init = "mpi";
};

inline Device device_of(const ClusterOptions& cluster) {
  return cluster.device == "cuda" ? Device::kCuda : Device::kCpu;
}

// Seconds without progress on any rank of several after which the job counts as hung: every rank
// writes what it did last into flight/ of the run folder, the rank that the others wait for is
// named, and the job ends with exit code 71. Larger where one rank may well be busy for longer.
struct WatchdogOptions {
  // 0 = nobody looks. A rank that is not heard of for so long is taken for stopped in any phase.
  double timeout = 120.0;
  // While any rank reads or quantises weights.
  double load = 1800.0;
  // While any rank reads, makes or writes data, prompts and results.
  double prompts = 1800.0;
  // While any rank writes a checkpoint.
  double checkpoint = 600.0;
};

struct OutputOptions {
  // The run folder; empty = runs/<name of the config file>.
  std::string run_dir;
  // Seconds between progress lines where stderr is not a terminal.
  double progress_seconds = 10.0;
};

struct DescribeOptions {
  // JSON Lines {"item", "description"} of descriptions that are at hand; those items are not
  // generated. Empty = none.
  std::string file;
  // Off: an item with metadata that neither file nor cache describes is an error, and the model is
  // not asked.
  bool generate = true;
  // Folder in which generated descriptions are kept by their content (model, settings and request),
  // so that no run generates one twice. Empty = none.
  std::string cache;
  // Words that the request asks for at most: {max_words} in the wording of prompt.templates.
  std::int64_t max_words = 80;
  // Longest description, in generated tokens.
  std::int64_t max_new_tokens = 128;
  // Items decoded together, at most. More is faster and takes more memory for the KV cache.
  std::int64_t batch_size = 64;
  // MiB per rank for the KV cache: fewer items are decoded together where it would not do. One item
  // always is.
  std::int64_t memory_budget = 2048;
  // 0 = greedy.
  double temperature = 0.8;
  double top_p = 0.9;
  std::int64_t seed = 42;
};

struct EmbedOptions {
  // Compute mode of the frozen weights in this stage, as model.quant. Titles and descriptions are
  // bare text, on which small Llama models have a few very large activations that 8-bit ones lose.
  std::string quant = "auto";
  // mean (over all tokens) or last.
  std::string pooling = "mean";
  // Tokens per packed forward pass.
  std::int64_t token_budget = 2048;
  // With refcompat.generated_state: the longest continuation of a text. Each token of it costs a
  // pass of the whole model over a batch of texts.
  std::int64_t continuation_tokens = 256;
};

struct LightGcnOptions {
  std::int64_t embedding_size = 64;
  std::int64_t layers = 2;
  std::int64_t batch_size = 2048;
  std::int64_t epochs = 500;
  double learning_rate = 1e-3;
  // L2 weight on the layer-0 vectors of (user, positive, negative), as norm over batch size.
  double reg_weight = 1e-4;
  // Rows with a rating below this are not edges. 0 keeps all.
  double min_rating = 0.0;
  // leave_one_out (each user's newest row held out for valid), leave_one_out_of_samples (the same,
  // but only rows that are samples are edges) or up_to_last_train (mode clean).
  std::string edges = "leave_one_out";
  // Of leave_one_out: a user's newest row is held out where the user has more rows than this.
  std::int64_t held_out_min_rows = 10;
  // Epochs between looks at valid recall@20; the best is kept.
  std::int64_t evaluate_every = 5;
  // Looks without improvement before training stops.
  std::int64_t patience = 10;
  std::int64_t seed = 42;
};

struct AlignOptions {
  std::int64_t hidden_size = 512;
  std::string activation = "relu";  // relu, gelu or tanh
  double temperature = 1.0;
  // Items of a step, each other's negatives; 0 = all items with an edge at every step, as in eq. 5.
  std::int64_t batch_size = 0;
  double learning_rate = 1e-3;
  std::int64_t steps = 300;
  std::int64_t seed = 42;
};

struct RetrieveOptions {
  // Which embeddings make up the item vector of eq. 7: text, colla, ssl, or title (the half of text
  // that says no more than an item's name; needs no descriptions).
  std::vector<std::string> blocks = {"text", "colla", "ssl"};
  // How two blocks that are not mixed share the list, in place of eq. 7. counts: the first half of
  // it, rounded up, by the first block, the rest by the second without repeats. scores: by half the
  // softmax of each block's similarities to the candidates. none: eq. 7.
  std::string hybrid = "none";
};

struct PromptOptions {
  // TOML file with the wording and the order of lines; see configs/prompts/.
  std::string templates = "configs/prompts/movielens.toml";
  // auto (by the tokenizer's special tokens), llama3, chatml or plain.
  std::string chat_format = "auto";
  // Interactions shown in a prompt (the paper's K).
  std::int64_t k = 30;
  // Distinct training samples; each becomes one prompt per train view.
  std::int64_t train_samples = 1024;
  std::vector<std::string> train_views = {"high", "sequential"};
  std::string test_view = "rerank";
  // The view of the zero-shot comparison.
  std::string zero_shot_view = "simple";
  std::int64_t valid_samples = 1000;
  // Test prompts in time order; 0 = all.
  std::int64_t test_samples = 0;
  // Where the test prompts come from: test, or valid for choosing settings such as rerank_alpha.
  std::string test_split = "test";
  // first: the oldest of the split, as the authors take their first 10,000; few users fill the
  // head of a split by time. random: drawn from all of it.
  std::string test_draw = "first";
  // Eq. 8. alpha is a ratio so that ties are exact: "2/3".
  std::string rerank_alpha = "2/3";
  double rerank_beta = 1.0;
  std::string rerank_combine = "max";  // max or sum
  std::string rerank_order = "score";  // score or time
  std::string list_format = "python";  // python, json or plain
  // Longest prompt in tokens; the history is shortened from its least relevant end to fit.
  std::int64_t cutoff = 2048;
  // A fixed date line in the system block where the model's template has one (Llama-3.1).
  bool date_header = true;
  std::int64_t seed = 42;
};

struct TuneOptions {
  std::int64_t epochs = 20;
  // Optimizer steps; wins over epochs where positive.
  std::int64_t max_steps = 0;
  double learning_rate = 5e-4;
  // Steps of linear warm-up before the linear decay to 0.
  std::int64_t warmup_steps = 0;
  // Prompts per optimizer step, over all ranks.
  std::int64_t batch_size = 256;
  // Tokens per packed micro-batch.
  std::int64_t token_budget = 2048;
  // MiB per rank for activations that are kept from the forward to the backward pass. Micro-batches
  // that fit together go through the layers in one wave; one that does not fit alone computes its
  // layers again in the backward pass. Smaller = less memory, more gathers. Changes no result.
  std::int64_t memory_budget = 2048;
  std::int64_t lora_r = 8;
  double lora_alpha = 16.0;
  double lora_dropout = 0.05;
  std::vector<std::string> target_modules = {"q_proj", "v_proj"};
  // Largest gradient norm; 0 = no clipping.
  double max_grad_norm = 1.0;
  // Steps between checkpoints; 0 = at the end of each epoch.
  std::int64_t checkpoint_every = 0;
  std::int64_t keep_checkpoints = 3;
  // Epochs without a better valid loss (of the answer's word) before training stops; 0 = never.
  std::int64_t patience = 5;
  // Which prompts choose the adapter and the end of training: valid, or test, which leaks the test
  // into the result, as the authors' code does.
  std::string select_on = "valid";
  // Also learn the answers that a prompt shows, Yes or No after a colon, each from what stands
  // before it. Off in the paper's setting. The valid loss is of the answer alone either way.
  bool shown_answers = false;
  std::int64_t seed = 42;
};

struct InferOptions {
  std::int64_t token_budget = 2048;
  // The adapter to score with: empty = the run's own (tune/adapter), none = the bare model, else a
  // PEFT folder outside the run.
  std::string adapter;
  // Also score the test prompts without the adapter.
  bool zero_shot = true;
  // Also write score_squashed, the authors' double softmax, which needs the logits of the whole
  // vocabulary. The paper's log losses are to be compared with its log loss.
  bool squashed = true;
};

struct EvaluateOptions {
  // Resamples of the user-clustered bootstrap.
  std::int64_t bootstrap_samples = 1000;
  std::int64_t seed = 42;
};

// The id-feature models that the paper compares with.
struct BaselineOptions {
  // Of a run whose stages name baseline: deep_fm, x_deep_fm, dcn or auto_int.
  std::string model = "deep_fm";
  std::int64_t epochs = 50;
  // Epochs without a better valid AUC before training stops.
  std::int64_t patience = 5;
  std::int64_t batch_size = 2048;
  // Samples of a batch that are computed together, and whose gradients are summed together: what
  // ranks and threads share out. Smaller = more of them can help, larger = less to add up. Changes
  // the rounding.
  std::int64_t block_size = 256;
  std::int64_t embedding_size = 16;
  double learning_rate = 1e-3;
  // Share of the hidden units of the MLP that a sample's dropout leaves out.
  double dropout = 0.2;
  // Weight of half the squared norm of all parameters that a step uses.
  double l2 = 1e-5;
  // Hidden units of the layers of the MLP that all four models have.
  std::string mlp_sizes = "128-128-128";
  // dcn: layers of the cross network.
  std::int64_t cross_layers = 3;
  // x_deep_fm: feature maps of the layers of the compressed interaction network.
  std::string cin_sizes = "50-50";
  // auto_int: interacting layers, their heads, and their columns over all heads.
  std::int64_t attention_layers = 2;
  std::int64_t attention_heads = 2;
  std::int64_t attention_size = 40;
  // Columns that are no features.
  std::vector<std::string> leave_out;
  // Latest items of the user's history that become one more field, averaged; 0 = no such field.
  // Only in a run folder.
  std::int64_t history = 0;
  // Of initial values, the order of samples and dropout.
  std::int64_t seed = 42;
};

// Deviations of the authors' public code from the paper, so that the effect of each can be
// measured; docs/refcompat.md tells what each does and which test shows it. Mode refcompat turns on
// those that data.dataset knows.
struct RefcompatOptions {
  // embed: the state of the last token of a sampled continuation in place of the mean of the text.
  bool generated_state = false;
  // align, retrieve: e_text is the description alone.
  bool description_only = false;
  // align, retrieve: e_text is reduced to so many principal components; 0 = it is not.
  std::int64_t pca_text = 0;
  // retrieve: a block is divided by its largest row norm, not each row by its own.
  bool max_norm = false;
  // retrieve: ranked by the cosine of the mixture, not by its dot product.
  bool cosine_ranking = false;
  // retrieve: an item of the history is taken for the one whose id is larger by one.
  bool ml1m_index_shift = false;
  // retrieve: training prompts show what the text alone finds.
  bool text_adapter = false;
  // retrieve: with retrieve.hybrid nothing is found.
  bool amazon_hybrid_empty = false;
  // describe, embed, retrieve: the last item of the catalogue has no text and is never found.
  bool drop_last_item = false;
  // prompt: two thirds of a rerank prompt by similarity, one third by time, in place of eq. 8.
  bool rerank_two_thirds = false;
  // prompt: places of the history without repeats name rows of the one with repeats.
  bool rerank_repeat_bug = false;
  // prompt: trained on the first 2 * prompt.train_samples of high, sequential, simple in turn.
  bool first_2048_of_mixed = false;
  // prompt, tune: a prompt over the cutoff loses its end, the answer with it.
  bool right_truncation = false;
  // tune: a training prompt begins with two begin tokens.
  bool double_bos = false;
  // tune: the last token before the answer is trained on too.
  bool labels_include_newline = false;
  // tune: the end of the turn is not trained on.
  bool no_end_of_turn = false;
  // infer: fp32 weights, whatever model.quant says.
  bool float_base_at_inference = false;
  // evaluate: score_squashed takes the place of score.
  bool squash_prob = false;
  // evaluate: the first 10,000 test prompts alone.
  bool eval_first_10000 = false;
  // describe: line breaks and quotes are removed, nothing takes their place.
  bool empty_newlines = false;
};

// One run. Field names are section names.
struct Options {
  // paper (as published), clean (paper without its leaks) or refcompat (paper with the deviations
  // of the authors' code): sets the defaults of data.deduplicate, light_gcn.edges, tune.select_on
  // and section [refcompat].
  std::string mode = "clean";
  // The stages of `rallrec run`, in any order. baseline is the one of baseline.model. What a left
  // out stage would write is not read: embed without describe makes titles alone, retrieve reads
  // what its blocks name, evaluate without infer takes the baseline's scores.
  std::vector<std::string> stages = {"ingest",   "describe", "embed", "light_gcn", "align",
                                     "retrieve", "prompt",   "tune",  "infer",     "evaluate"};
  DataOptions data;
  ModelOptions model;
  ClusterOptions cluster;
  WatchdogOptions watchdog;
  OutputOptions output;
  DescribeOptions describe;
  EmbedOptions embed;
  LightGcnOptions light_gcn;
  AlignOptions align;
  RetrieveOptions retrieve;
  PromptOptions prompt;
  TuneOptions tune;
  InferOptions infer;
  BaselineOptions baseline;
  EvaluateOptions evaluate;
  RefcompatOptions refcompat;
};

}  // namespace rallrec::config
