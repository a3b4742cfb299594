#include "pipeline/embed.h"

#include <ATen/ops/cat.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/error.h"
#include "core/stopwatch.h"
#include "data/dataset_file.h"
#include "distributed/joint_error.h"
#include "io/hdf5_file.h"
#include "io/jsonl.h"
#include "io/npy.h"
#include "models/llm/causal_lm.h"
#include "pipeline/describe.h"
#include "pipeline/load_model.h"
#include "pipeline/refcompat_embedding.h"
#include "pipeline/text_embedder.h"
#include "pipeline/wording.h"

namespace rallrec::pipeline {
namespace {

using Texts = std::vector<std::vector<std::int64_t>>;

std::int64_t count_tokens(const Texts& texts) {
  std::int64_t tokens = 0;
  for (const auto& ids : texts) {
    tokens += static_cast<std::int64_t>(ids.size());
  }
  return tokens;
}

// Titles of all items, then descriptions of all items where the run has them.
Texts item_texts(const StageContext& context, const data::Dataset& dataset,
                 const text::Tokenizer& tokenizer) {
  const text::PromptTemplate wording = load_wording(context.options.prompt, dataset);
  Texts texts;
  const std::int32_t items = items_with_text(dataset, context.options);
  for (std::int32_t item = 0; item < items; ++item) {
    texts.push_back(bare_text_ids(tokenizer, wording.title_text(item_fields(dataset, item))));
  }
  texts.resize(static_cast<std::size_t>(dataset.items.size()));
  if (embeds_descriptions(context.options)) {
    for (const std::string& description :
         load_descriptions(context.run_dir + "/describe/descriptions.jsonl", dataset, items)) {
      texts.push_back(bare_text_ids(tokenizer, description));
    }
  }
  return texts;
}

// With refcompat.generated_state the model goes on from each text as describe lets it.
at::Tensor text_vectors(const StageContext& context, const text::Tokenizer& tokenizer,
                        const Texts& texts, models::llm::CausalLm& model) {
  const config::Options& options = context.options;
  if (!options.refcompat.generated_state) {
    return embed_texts(model, texts, options.embed, context.communicator);
  }
  config::DescribeOptions sampling = options.describe;
  sampling.max_new_tokens = options.embed.continuation_tokens;
  const TextGenerator generator{model, nullptr, tokenizer, sampling, options.model.path};
  return embed_generated_states(generator, texts, options.embed, context.communicator);
}

// One row per item: of its title, and beside it of its description where there are twice as many
// vectors as items.
void add_item_rows(const at::Tensor& vectors, std::int64_t items, io::Hdf5Writer& writer) {
  if (vectors.size(0) == items) {
    writer.add_matrix("title", vectors.data_ptr<float>(), items, vectors.size(1));
    return;
  }
  const at::Tensor joined =
      at::cat({vectors.narrow(0, 0, items), vectors.narrow(0, items, items)}, 1);
  writer.add_matrix("text", joined.data_ptr<float>(), items, joined.size(1));
}

Texts read_texts(const std::string& path, const text::Tokenizer& tokenizer,
                 std::int64_t max_position, const io::JsonlOptions& policy) {
  Texts texts;
  io::for_each_record(path, policy, [&](const io::JsonRecord& record) {
    const std::string& text = record.get_string("text");
    text::check_text(text, record.where("text"));
    std::vector<std::int64_t> ids = bare_text_ids(tokenizer, text);
    if (text.empty() && tokenizer.adds_bos()) {
      // A person's empty text is its BOS token; an item without description has no vector.
      ids.push_back(*tokenizer.bos_id());
    }
    if (static_cast<std::int64_t>(ids.size()) > max_position) {
      record.fail("text", "has " + std::to_string(ids.size()) + " tokens; the model takes " +
                              std::to_string(max_position));
    }
    texts.push_back(std::move(ids));
  });
  return texts;
}

}  // namespace

bool embeds_descriptions(const config::Options& options) {
  return std::count(options.stages.begin(), options.stages.end(), "describe") > 0;
}

void run_embed(StageContext& context) {
  const config::Options& options = context.options;
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  const text::Tokenizer tokenizer = text::Tokenizer::load(options.model.path);
  const Texts texts = item_texts(context, dataset, tokenizer);
  const auto model =
      load_model(options.model.path, options.embed.quant, options, context.communicator);
  const at::Tensor vectors = text_vectors(context, tokenizer, texts, *model);
  const auto items = static_cast<std::int64_t>(dataset.items.size());
  distributed::run_on_rank_0(context.communicator, [&] {
    io::Hdf5Writer writer(context.run_dir + "/embed/text_embeddings.h5");
    add_item_rows(vectors, items, writer);
    writer.set_attribute("pooling", options.embed.pooling);
    writer.set_attribute("quant", model->quant());
    writer.commit();
  });
  context.report.add("items", items);
  context.report.add("tokens", count_tokens(texts));
}

void embed_file(const ModelFiles& files, const config::Options& options,
                distributed::Communicator& communicator) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(files.model);
  const Texts texts = read_texts(
      files.input, tokenizer, models::llm::read_llm_config(files.model).max_position,
      io::with_bad_rows(files.input, options.data.max_bad_rows, communicator.rank() == 0));
  const auto model = load_model(files.model, options.model.quant, options, communicator);
  const Stopwatch watch;
  const at::Tensor vectors = embed_texts(*model, texts, options.embed, communicator);
  communicator.barrier();  // the slowest rank's time
  const double seconds = watch.seconds();
  if (communicator.rank() == 0) {
    io::write_npy(files.output, vectors.data_ptr<float>(), {vectors.size(0), vectors.size(1)});
    spdlog::info("{} texts, {} tokens embedded on {} in {:.3f} s: {}", texts.size(),
                 count_tokens(texts), model->quant(), seconds, files.output);
  }
  communicator.barrier();
}

}  // namespace rallrec::pipeline
