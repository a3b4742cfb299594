#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>

#include "commands/command_list.h"
#include "core/error.h"
#include "io/json_writer.h"
#include "io/jsonl.h"
#include "text/tokenizer.h"

namespace rallrec::commands {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{1} << 20;
constexpr const char* kStdin = "/dev/stdin";

struct TokenizeFlags {
  std::string tokenizer;
  bool decode = false;
};

// Standard output in large pieces.
class OutputBuffer {
 public:
  std::string& text() { return text_; }
  void end_line() {
    text_.push_back('\n');
    if (text_.size() >= kFlushBytes) {
      flush();
    }
  }
  void flush() {
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size() ||
        std::fflush(stdout) != 0) {
      throw_io("standard output", "writing", errno);
    }
    text_.clear();
  }

 private:
  std::string text_;
};

void append_number(std::int64_t number, std::string& text) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  text.append(digits.data(), end);
}

void append_ids(const std::vector<std::int64_t>& ids, std::string& text) {
  text += "{\"ids\":[";
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) {
      text.push_back(',');
    }
    append_number(ids[i], text);
  }
  text += "]}";
}

void encode_all(const text::Tokenizer& tokenizer, OutputBuffer& output) {
  std::vector<std::int64_t> ids;
  io::for_each_record(kStdin, {}, [&](const io::JsonRecord& record) {
    const std::string& text = record.get_string("text");
    text::check_text(text, record.where("text"));
    ids.clear();
    tokenizer.encode(text, ids);
    append_ids(ids, output.text());
    output.end_line();
  });
}

void decode_all(const text::Tokenizer& tokenizer, OutputBuffer& output) {
  io::for_each_record(kStdin, {}, [&](const io::JsonRecord& record) {
    const std::vector<std::int64_t> ids = record.get_ints("ids");
    for (const std::int64_t id : ids) {
      if (id < 0 || id >= tokenizer.vocab_size()) {
        record.fail("ids", "id " + std::to_string(id) + " is outside 0 to " +
                               std::to_string(tokenizer.vocab_size() - 1));
      }
    }
    output.text() += "{\"text\":" + io::to_json(std::string_view(tokenizer.decode(ids))) + "}";
    output.end_line();
  });
}

int run(const TokenizeFlags& flags, CommandContext& context) {
  if (flags.tokenizer.empty()) {
    throw_usage("tokenize needs --tokenizer DIR, a folder with tokenizer.json");
  }
  if (context.communicator.rank() != 0) {
    return 0;
  }
  const text::Tokenizer tokenizer = text::Tokenizer::load(flags.tokenizer);
  OutputBuffer output;
  if (flags.decode) {
    decode_all(tokenizer, output);
  } else {
    encode_all(tokenizer, output);
  }
  output.flush();
  return 0;
}

Runner define(CLI::App& app) {
  auto flags = std::make_shared<TokenizeFlags>();
  app.add_option("--tokenizer", flags->tokenizer, "Folder with tokenizer.json")->type_name("DIR");
  app.add_flag("--decode", flags->decode, "Ids to text");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command tokenize_command() {
  Command command;
  command.name = "tokenize";
  command.group = kFilesGroup;
  command.summary = "Text to token ids and back, line by line";
  command.description =
      "Reads JSON lines {\"text\": …} from standard input and writes {\"ids\": […]} for each, in "
      "order and without special tokens. With --decode it reads {\"ids\"} and writes {\"text\"}: "
      "special tokens are printed, and bytes that are not UTF-8 become U+FFFD.";
  command.example = "rallrec tokenize --tokenizer DIR < texts.jsonl > ids.jsonl";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
