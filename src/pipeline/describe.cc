#include "pipeline/describe.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "core/check.h"
#include "core/error.h"
#include "data/dataset_file.h"
#include "distributed/joint_error.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "models/llm/causal_lm.h"
#include "models/llm/llm_config.h"
#include "pipeline/describe_cache.h"
#include "pipeline/load_model.h"
#include "pipeline/pair_samples.h"
#include "pipeline/text_generator.h"
#include "pipeline/wording.h"
#include "text/chat_template.h"

namespace rallrec::pipeline {
namespace {

using Prompts = std::vector<std::vector<std::int64_t>>;

using Texts = std::vector<std::optional<std::string>>;

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

// The items with metadata that `described` lacks, of the first `count`.
std::vector<std::int32_t> lacking(const data::Dataset& dataset, const Texts& described,
                                  std::int32_t count) {
  std::vector<std::int32_t> items;
  for (std::int32_t item = 0; item < count; ++item) {
    if (!described[static_cast<std::size_t>(item)] && has_metadata(dataset, item)) {
      items.push_back(item);
    }
  }
  return items;
}

[[noreturn]] void throw_lacking(const std::string& where, const data::Dataset& dataset,
                                const std::vector<std::int32_t>& items, const std::string& cure) {
  throw_bad_data(where, std::to_string(items.size()) + (items.size() == 1 ? " item" : " items") +
                            " with metadata " + (items.size() == 1 ? "has" : "have") +
                            " no description, the first is '" + dataset.items.name(items.front()) +
                            "'; " + cure);
}

// A person's own descriptions, by item.
Texts own_descriptions(const config::DescribeOptions& options, const data::Dataset& dataset) {
  if (options.file.empty()) {
    return Texts(static_cast<std::size_t>(dataset.items.size()));
  }
  return read_descriptions(options.file, dataset);
}

// The requests for the items that `described` lacks, without those that the cache answers: their
// texts go to `described`, and their requests stay.
ItemPrompts open_prompts(const StageContext& context, const data::Dataset& dataset,
                         const text::ChatTemplate& chat, const DescribeCache& cache,
                         Texts& described, std::vector<std::string>& requests) {
  const text::PromptTemplate wording = load_wording(context.options.prompt, dataset);
  ItemPrompts open;
  for (const std::int32_t item :
       lacking(dataset, described, items_with_text(dataset, context.options))) {
    std::string& request = requests[static_cast<std::size_t>(item)];
    request =
        wording.describe_prompt(item_fields(dataset, item), context.options.describe.max_words);
    std::vector<std::int64_t> ids = chat.prompt_ids(wording.describe_system(), request);
    if (const std::string* known = cache.find(ids)) {
      described[static_cast<std::size_t>(item)] = *known;
      continue;
    }
    open.items.push_back(item);
    open.texts.push_back(request);
    open.ids.push_back(std::move(ids));
  }
  return open;
}

void require_none(const ItemPrompts& open, const data::Dataset& dataset,
                  const config::DescribeOptions& options) {
  if (!options.generate && !open.items.empty()) {
    throw_lacking(options.file.empty() ? "describe.file" : options.file, dataset, open.items,
                  "add a line {\"item\", \"description\"} for each, or set describe.generate = "
                  "true");
  }
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

// The model's answers. Complete on rank 0, empty elsewhere.
std::vector<std::string> answers(const StageContext& context, const text::Tokenizer& tokenizer,
                                 const ItemPrompts& open) {
  const config::Options& options = context.options;
  const auto model =
      load_model(options.model.path, options.model.quant, options, context.communicator);
  PartialTexts partial(context.run_dir + "/describe", context.resume != "never",
                       context.communicator);
  TextGenerator generator{*model, nullptr, tokenizer, options.describe, options.model.path};
  if (options.refcompat.empty_newlines) {
    generator.to_line = without_line_breaks;
  }
  std::vector<std::uint64_t> draws;
  for (const auto& ids : open.ids) {
    draws.push_back(draw_of(ids));
  }
  return generate_texts(generator, open.ids, draws, partial, context.communicator);
}

void write_descriptions(const std::string& path, const data::Dataset& dataset,
                        const Texts& described, const std::vector<std::string>& requests) {
  io::JsonlWriter writer(path);
  for (std::size_t item = 0; item < described.size(); ++item) {
    if (!described[item]) {
      continue;
    }
    io::JsonObjectWriter line;
    line.add("item", dataset.items.name(static_cast<std::int32_t>(item)));
    if (!requests[item].empty()) {
      line.add("prompt", requests[item]);
    }
    line.add("description", *described[item]);
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
  Texts described = own_descriptions(options.describe, dataset);
  const auto own = std::count_if(described.begin(), described.end(),
                                 [](const auto& text) { return text.has_value(); });
  DescribeCache cache(options, context.run_dir, context.communicator);
  std::vector<std::string> requests(described.size());
  const std::size_t asked = lacking(dataset, described, items_with_text(dataset, options)).size();
  const ItemPrompts open = open_prompts(context, dataset, chat, cache, described, requests);
  require_none(open, dataset, options.describe);
  require_room(open, dataset, models::llm::read_llm_config(options.model.path).max_position,
               options.describe.max_new_tokens);
  std::vector<std::string> texts;
  if (!open.items.empty()) {
    texts = answers(context, tokenizer, open);
  }
  distributed::run_on_rank_0(context.communicator, [&] {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      described[static_cast<std::size_t>(open.items[i])] = texts[i];
      cache.add(open.ids[i], open.texts[i], texts[i]);
    }
    const std::string folder = context.run_dir + "/describe";
    write_descriptions(folder + "/descriptions.jsonl", dataset, described, requests);
    cache.save();
    PartialTexts::remove(folder);
  });
  const auto generated = static_cast<std::int64_t>(open.items.size());
  context.report.add("items", static_cast<std::int64_t>(own + asked));
  context.report.add("generated", generated);
  context.report.add("from cache", static_cast<std::int64_t>(asked) - generated);
  context.report.add("of one's own", static_cast<std::int64_t>(own));
  context.report.add("items without metadata", static_cast<std::int64_t>(dataset.items.size()) -
                                                   own - static_cast<std::int64_t>(asked));
}

std::vector<std::optional<std::string>> read_descriptions(const std::string& path,
                                                          const data::Dataset& dataset) {
  Texts descriptions(static_cast<std::size_t>(dataset.items.size()));
  io::for_each_record(path, {}, [&](const io::JsonRecord& record) {
    const std::int32_t item = item_of(record, dataset);
    std::optional<std::string>& description = descriptions[static_cast<std::size_t>(item)];
    if (description) {
      record.fail("item", "'" + dataset.items.name(item) + "' was described before");
    }
    description = record.get_string("description");
    text::check_text(*description, record.where("description"));
  });
  return descriptions;
}

std::vector<std::string> load_descriptions(const std::string& path, const data::Dataset& dataset,
                                           std::int32_t count) {
  const Texts described = read_descriptions(path, dataset);
  const auto items = lacking(dataset, described, count < 0 ? dataset.items.size() : count);
  if (!items.empty()) {
    throw_lacking(path, dataset, items, "run stage describe again with --force");
  }
  std::vector<std::string> descriptions;
  for (const auto& description : described) {
    descriptions.push_back(description.value_or(""));
  }
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
  // By place: whoever gives a prompt twice wants two answers.
  std::vector<std::uint64_t> draws(prompts.ids().size());
  std::iota(draws.begin(), draws.end(), 0);
  const std::vector<std::string> texts =
      generate_texts(generator, prompts.ids(), draws, nothing, communicator);
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
