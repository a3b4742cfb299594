#include "pipeline/describe.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "core/check.h"
#include "core/error.h"
#include "data/dataset_file.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "models/llm/causal_lm.h"
#include "models/llm/llm_config.h"
#include "pipeline/load_model.h"
#include "pipeline/text_generator.h"
#include "pipeline/wording.h"
#include "text/chat_template.h"

namespace rallrec::pipeline {
namespace {

using Prompts = std::vector<std::vector<std::int64_t>>;

struct ItemPrompts {
  std::vector<std::int32_t> items;
  std::vector<std::string> texts;
  Prompts ids;
};

bool has_metadata(const data::Dataset& dataset, std::int32_t item) {
  const auto& fields = dataset.item_fields.fields;
  return std::any_of(fields.begin(), fields.end(), [&](const data::Field& field) {
    return !dataset.item_fields.text(field.name, item).empty();
  });
}

ItemPrompts item_prompts(const StageContext& context, const data::Dataset& dataset,
                         const text::ChatTemplate& chat) {
  const text::PromptTemplate wording = load_wording(context.options.prompt, dataset);
  ItemPrompts prompts;
  const std::int32_t items = items_with_text(dataset, context.options);
  for (std::int32_t item = 0; item < items; ++item) {
    if (has_metadata(dataset, item)) {
      prompts.items.push_back(item);
      prompts.texts.push_back(wording.describe_prompt(item_fields(dataset, item)));
      prompts.ids.push_back(chat.prompt_ids(wording.describe_system(), prompts.texts.back()));
    }
  }
  return prompts;
}

void require_room(const ItemPrompts& prompts, const data::Dataset& dataset,
                  std::int64_t max_position, std::int64_t max_new_tokens) {
  for (std::size_t i = 0; i < prompts.ids.size(); ++i) {
    const auto length = static_cast<std::int64_t>(prompts.ids[i].size());
    if (length + max_new_tokens > max_position) {
      throw_usage("describe: the prompt of item " + dataset.items.name(prompts.items[i]) + " has " +
                  std::to_string(length) +
                  " tokens; with describe.max_new_tokens = " + std::to_string(max_new_tokens) +
                  " that is more than the model's " + std::to_string(max_position) + " positions");
    }
  }
}

void write_descriptions(const std::string& path, const data::Dataset& dataset,
                        const ItemPrompts& prompts, const std::vector<std::string>& texts) {
  io::JsonlWriter writer(path);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    io::JsonObjectWriter line;
    line.add("item", dataset.items.name(prompts.items[i])).add("prompt", prompts.texts[i]);
    line.add("description", texts[i]);
    writer.write(line);
  }
  writer.commit();
}

// The prompts of a file; records that do not fit follow the bad-row policy.
class PromptFile {
 public:
  PromptFile(const std::string& path, const text::ChatTemplate& chat, std::int64_t max_position,
             const config::Options& options, bool keeps_rejects)
      : file_(path, io::with_bad_rows(path, options.data.max_bad_rows, keeps_rejects),
              [&](const io::JsonRecord& record) {
                std::vector<std::int64_t> ids =
                    chat.prompt_ids(record.has("system") ? record.get_string("system") : "",
                                    record.get_string("prompt"));
                const auto length = static_cast<std::int64_t>(ids.size());
                if (length == 0 || length + options.describe.max_new_tokens > max_position) {
                  record.fail("prompt", "gives " + std::to_string(length) +
                                            " tokens; prompt and answer together may have " +
                                            std::to_string(max_position));
                }
                ids_.push_back(std::move(ids));
              }) {}

  io::JsonlFile& file() { return file_; }
  const Prompts& ids() const { return ids_; }

 private:
  Prompts ids_;
  io::JsonlFile file_;
};

}  // namespace

std::int32_t items_with_text(const data::Dataset& dataset, const config::Options& options) {
  return dataset.items.size() - (options.refcompat.drop_last_item ? 1 : 0);
}

void run_describe(StageContext& context) {
  const config::Options& options = context.options;
  const data::Dataset dataset = data::load_dataset(context.run_dir + "/ingest/interactions.h5");
  const text::Tokenizer tokenizer = text::Tokenizer::load(options.model.path);
  const text::ChatTemplate chat(tokenizer,
                                {options.prompt.chat_format, options.prompt.date_header});
  const ItemPrompts prompts = item_prompts(context, dataset, chat);
  require_room(prompts, dataset, models::llm::read_llm_config(options.model.path).max_position,
               options.describe.max_new_tokens);
  const auto model =
      load_model(options.model.path, options.model.quant, options, context.communicator);
  const std::string folder = context.run_dir + "/describe";
  PartialTexts partial(folder, context.resume != "never", context.communicator);
  TextGenerator generator{*model, nullptr, tokenizer, options.describe, options.model.path};
  if (options.refcompat.empty_newlines) {
    generator.to_line = without_line_breaks;
  }
  const std::vector<std::string> texts =
      generate_texts(generator, prompts.ids, partial, context.communicator);
  if (context.communicator.rank() == 0) {
    write_descriptions(folder + "/descriptions.jsonl", dataset, prompts, texts);
    PartialTexts::remove(folder);
  }
  context.report.add("items", static_cast<std::int64_t>(prompts.items.size()));
  context.report.add("items without metadata",
                     static_cast<std::int64_t>(dataset.items.size() - prompts.items.size()));
  context.communicator.barrier();
}

std::vector<std::string> read_descriptions(const std::string& path, const data::Dataset& dataset) {
  std::vector<std::string> descriptions(static_cast<std::size_t>(dataset.items.size()));
  std::vector<bool> seen(descriptions.size());
  io::for_each_record(path, {}, [&](const io::JsonRecord& record) {
    const std::string& name = record.get_string("item");
    const auto item = dataset.items.find(name);
    if (item < 0) {
      record.fail("item", "'" + name + "' is not in the data set");
    }
    const auto place = static_cast<std::size_t>(item);
    if (seen[place]) {
      record.fail("item", "'" + name + "' was described before");
    }
    seen[place] = true;
    descriptions[place] = record.get_string("description");
    text::check_text(descriptions[place], record.where("description"));
  });
  return descriptions;
}

void describe_file(const ModelFiles& files, const config::Options& options,
                   distributed::Communicator& communicator) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(files.model);
  const text::ChatTemplate chat(tokenizer,
                                {options.prompt.chat_format, options.prompt.date_header});
  const models::llm::LlmConfig config = models::llm::read_llm_config(files.model);
  const auto adapter = load_adapter(files.adapter, files.model);
  PromptFile prompts(files.input, chat, config.max_position, options, communicator.rank() == 0);
  const auto model = load_model(files.model, options.model.quant, options, communicator);
  const TextGenerator generator{*model, adapter ? &*adapter : nullptr, tokenizer, options.describe,
                                files.model};
  PartialTexts nothing;
  const std::vector<std::string> texts =
      generate_texts(generator, prompts.ids(), nothing, communicator);
  if (communicator.rank() == 0) {
    io::JsonlWriter writer(files.output);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const io::JsonRecord record = prompts.file().read(static_cast<std::int64_t>(i));
      io::JsonObjectWriter line;
      line.add_members(record.members(), {"description"}).add("description", texts[i]);
      writer.write(line);
    }
    writer.commit();
    spdlog::info("{} descriptions in {}", texts.size(), files.output);
  }
  communicator.barrier();
}

}  // namespace rallrec::pipeline
