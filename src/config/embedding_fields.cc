// Keys of the stages from descriptions to retrieval.
#include "config/field.h"

namespace rallrec::config {
namespace {

void add_light_gcn(std::vector<Field>& list) {
  using Graph = LightGcnOptions;
  SectionFields<Graph>(list, "light_gcn", &Options::light_gcn)
      .add("embedding_size", &Graph::embedding_size, between(1, 65536), "columns of the embedding")
      .add("layers", &Graph::layers, between(0, 64), "propagation layers")
      .add("batch_size", &Graph::batch_size, between(1, 1 << 30), "BPR triples per step")
      .add("epochs", &Graph::epochs, at_least(1), "passes over the training edges at most")
      .add("learning_rate", &Graph::learning_rate, real_positive(), "Adam's step size")
      .add("reg_weight", &Graph::reg_weight, real_between(0.0, 1e9),
           "L2 weight on the layer-0 vectors, as norm over batch size")
      .add("min_rating", &Graph::min_rating, real_between(-1e9, 1e9),
           "rows with a rating below this are not edges")
      .add("edges", &Graph::edges,
           one_of({"leave_one_out", "leave_one_out_of_samples", "up_to_last_train"}),
           "leave_one_out (all rows but each user's newest), leave_one_out_of_samples (of the rows "
           "that are samples) or up_to_last_train (no later rows)")
      .add("held_out_min_rows", &Graph::held_out_min_rows, at_least(0),
           "rows above which a user's newest is held out")
      .add("evaluate_every", &Graph::evaluate_every, at_least(1),
           "epochs between looks at valid recall@20")
      .add("patience", &Graph::patience, at_least(1),
           "looks without improvement before training stops")
      .add("seed", &Graph::seed, at_least(0), "seed of initial values and negatives");
}

}  // namespace

void add_embedding_fields(std::vector<Field>& list) {
  using Describe = DescribeOptions;
  using Align = AlignOptions;
  SectionFields<Describe>(list, "describe", &Options::describe)
      .add("file", &Describe::file, anything(),
           "JSON Lines {\"item\", \"description\"} of items that are not generated")
      .add("generate", &Describe::generate, anything(),
           "off: what file and cache lack is an error, not the model's work")
      .add("cache", &Describe::cache, anything(),
           "folder that keeps generated descriptions for all runs")
      .add("max_words", &Describe::max_words, between(1, 1 << 20),
           "{max_words} of the wording: words that are asked for at most")
      .add("max_new_tokens", &Describe::max_new_tokens, between(1, 1 << 20),
           "longest description, in generated tokens")
      .add("batch_size", &Describe::batch_size, between(1, 1 << 20),
           "items decoded together, at most")
      .add("memory_budget", &Describe::memory_budget, between(0, 1 << 30),
           "MiB per rank for keys and values of the items decoded together")
      .add("temperature", &Describe::temperature, real_between(0.0, 100.0), "0 = greedy")
      .add("top_p", &Describe::top_p, real_between(0.0, 1.0, true),
           "sample from the most likely words that hold this share")
      .add("seed", &Describe::seed, at_least(0), "seed of sampling");
  SectionFields<EmbedOptions>(list, "embed", &Options::embed)
      .add("quant", &EmbedOptions::quant, quant_mode(),
           "compute mode of the frozen weights in this stage, as model.quant")
      .add("pooling", &EmbedOptions::pooling, one_of({"mean", "last"}),
           "mean (over all tokens) or last")
      .add("token_budget", &EmbedOptions::token_budget, between(1, 1 << 24),
           "tokens per packed forward pass")
      .add("continuation_tokens", &EmbedOptions::continuation_tokens, between(1, 1 << 16),
           "refcompat.generated_state: the longest continuation of a text");
  add_light_gcn(list);
  SectionFields<Align>(list, "align", &Options::align)
      .add("hidden_size", &Align::hidden_size, between(1, 1 << 20), "width of the hidden layer")
      .add("activation", &Align::activation, one_of({"relu", "gelu", "tanh"}), "relu, gelu or tanh")
      .add("temperature", &Align::temperature, real_between(1e-6, 1e6),
           "divisor of the cosine in the contrastive loss")
      .add("learning_rate", &Align::learning_rate, real_positive(), "Adam's step size")
      .add("batch_size", &Align::batch_size, at_least(0),
           "items of a step, each other's negatives; 0 = the whole catalogue")
      .add("steps", &Align::steps, at_least(1), "updates")
      .add("seed", &Align::seed, at_least(0), "seed of initial values and of batches");
  SectionFields<RetrieveOptions>(list, "retrieve", &Options::retrieve)
      .add("blocks", &RetrieveOptions::blocks, some_of({"text", "title", "colla", "ssl"}),
           "embeddings that make up the item vector: text, title, colla, ssl")
      .add("hybrid", &RetrieveOptions::hybrid, one_of({"none", "counts", "scores"}),
           "none (eq. 7), or two blocks share the list by counts or by scores");
}

}  // namespace rallrec::config
