#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include "commands/command_list.h"
#include "core/error.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "text/chat_template.h"
#include "text/prompt_record.h"

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

// One line per token: its place, whether it is trained on, its id and its text.
void print_tokens(const text::Tokenizer& tokenizer, const text::LabelledIds& example,
                  std::ostream& out) {
  for (std::size_t i = 0; i < example.ids.size(); ++i) {
    const std::string bytes = tokenizer.decode({example.ids[i]});
    out << std::setw(6) << i << (i >= example.first_label ? "  train  " : "         ")
        << std::setw(7) << example.ids[i] << "  "
        << (is_special(tokenizer, example.ids[i], bytes) ? bytes
                                                         : io::to_json(std::string_view(bytes)))
        << "\n";
  }
}

void print_prompt(const io::JsonRecord& record, const text::ChatTemplate& chat,
                  const text::Tokenizer& tokenizer, std::ostream& out) {
  const text::LabelledIds example = text::labelled_ids_of(record, chat);
  const std::size_t trained = example.ids.size() - example.first_label;
  out << record.where() << ": " << example.ids.size() << " tokens, " << trained
      << (trained == 0 ? " trained on: the line has no answer" : " trained on") << "\n";
  print_tokens(tokenizer, example, out);
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
  io::JsonlFile file(flags.prompts);
  const std::int64_t count = flags.count == 0 ? file.size() : std::min(flags.count, file.size());
  for (std::int64_t i = 0; i < count; ++i) {
    std::ostringstream text;
    print_prompt(file.read(i), chat, tokenizer, text);
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
      "tokens bare, others quoted) and the word train where it is a label. The chat format is that "
      "of --set prompt.chat_format.";
  command.example = "rallrec inspect --prompts runs/demo/prompt/train.jsonl --tokenizer DIR -n 2";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
