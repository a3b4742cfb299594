#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "commands/command_list.h"
#include "core/error.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "text/chat_template.h"
#include "text/shown_answers.h"
#include "train/prompt_encoder.h"

namespace rallrec::commands {
namespace {

struct InspectFlags {
  std::string prompts;
  std::string tokenizer;
  std::int64_t count = 1;
};

bool is_special(const text::Tokenizer& tokenizer, std::int64_t id, const std::string& bytes) {
  return tokenizer.special_id(bytes) == id;
}

// Per token, whether it is trained on.
std::vector<bool> labels_of(const train::EncodedPrompt& prompt) {
  std::vector<bool> labels(prompt.ids.size(), false);
  for (const std::int64_t i : prompt.shown) {
    labels[i] = true;
  }
  std::fill(labels.begin() + prompt.first_label, labels.end(), true);
  return labels;
}

// One line per token: its place, whether it is trained on, its id and its text.
void print_tokens(const text::Tokenizer& tokenizer, const std::vector<std::int64_t>& ids,
                  const std::vector<bool>& labels, std::ostream& out) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string bytes = tokenizer.decode({ids[i]});
    out << std::setw(6) << i << (labels[i] ? "  train  " : "         ") << std::setw(7) << ids[i]
        << "  "
        << (is_special(tokenizer, ids[i], bytes) ? bytes : io::to_json(std::string_view(bytes)))
        << "\n";
  }
}

void print_prompt(const io::JsonRecord& record, const train::PromptEncoder& encoder,
                  const text::Tokenizer& tokenizer, std::ostream& out) {
  const train::EncodedPrompt prompt = encoder.encode(record);
  const std::vector<bool> labels = labels_of(prompt);
  out << record.where() << ": " << prompt.ids.size() << " tokens, "
      << std::count(labels.begin(), labels.end(), true) << " trained on"
      << (prompt.first_label == static_cast<std::int64_t>(prompt.ids.size())
              ? ": the line has no answer"
              : "")
      << (prompt.shortened ? "; shortened to prompt.cutoff" : "") << "\n";
  print_tokens(tokenizer, prompt.ids, labels, out);
}

void check_flags(const InspectFlags& flags) {
  if (flags.prompts.empty() || flags.tokenizer.empty()) {
    throw_usage("inspect needs --prompts FILE and --tokenizer DIR");
  }
  if (flags.count < 0) {
    throw_usage("-n is " + std::to_string(flags.count) + "; expected 0 (all) or more");
  }
}

int run(const InspectFlags& flags, CommandContext& context) {
  check_flags(flags);
  if (context.communicator.rank() != 0) {
    return 0;
  }
  const text::Tokenizer tokenizer = text::Tokenizer::load(flags.tokenizer);
  const config::PromptOptions& prompt = context.options.prompt;
  const text::ChatTemplate chat(tokenizer, {prompt.chat_format, prompt.date_header});
  const train::PromptEncoder encoder(chat, prompt.cutoff, train::PromptEncoder::Answer::kOptional,
                                     context.options.tune.shown_answers
                                         ? std::optional(text::ShownAnswers(tokenizer))
                                         : std::nullopt);
  io::JsonlFile file(flags.prompts);
  const std::int64_t count = flags.count == 0 ? file.size() : std::min(flags.count, file.size());
  for (std::int64_t i = 0; i < count; ++i) {
    std::ostringstream text;
    print_prompt(file.read(i), encoder, tokenizer, text);
    std::cout << text.str() << (i + 1 < count ? "\n" : "");
  }
  if (!std::cout.flush()) {
    throw_io("standard output", "writing", errno);
  }
  return 0;
}

Runner define(CLI::App& app) {
  auto flags = std::make_shared<InspectFlags>();
  app.add_option("--prompts", flags->prompts, "Prompt file (JSON lines)")->type_name("FILE");
  app.add_option("--tokenizer", flags->tokenizer, "Folder with tokenizer.json")->type_name("DIR");
  app.add_option("-n", flags->count, "Prompts to show, from the first; 0 = all [1]")
      ->type_name("K");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command inspect_command() {
  Command command;
  command.name = "inspect";
  command.group = kToolsGroup;
  command.summary = "The tokens of prompts and which of them are trained on";
  command.description =
      "Prints every token of the first prompts of a file: its place, its id, its text (special "
      "tokens bare, others quoted) and the word train where it is a label. Prompts are encoded as "
      "tune does it, by prompt.chat_format, prompt.cutoff and tune.shown_answers of --config or "
      "--set.";
  command.example = "rallrec inspect --prompts runs/demo/prompt/train.jsonl --tokenizer DIR -n 2";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
