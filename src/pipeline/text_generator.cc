#include "pipeline/text_generator.h"

#include <algorithm>
#include <string_view>

#include "core/check.h"
#include "io/hash.h"
#include "io/json_parser.h"
#include "io/json_writer.h"
#include "logging/progress.h"
#include "models/llm/generator.h"

namespace rallrec::pipeline {
namespace {

using Prompts = std::vector<std::vector<std::int64_t>>;

// Everything that the texts of a batch depend on.
std::string batch_key(const TextGenerator& generator,
                      const std::vector<models::llm::GenerationPrompt>& batch) {
  const config::DescribeOptions& options = generator.options;
  io::JsonObjectWriter content;
  content.add("model", generator.model_name).add("quant", generator.model.quant());
  content.add("tokens", options.max_new_tokens).add("temperature", options.temperature);
  content.add("top_p", options.top_p).add("seed", options.seed);
  std::string prompts;
  for (const auto& prompt : batch) {
    io::JsonObjectWriter text;
    text.add("draw", prompt.index).add("ids", prompt.ids);
    prompts += text.text();
  }
  content.add("prompts", prompts);
  return io::xxh3_128_hex(content.text());
}

std::vector<models::llm::GenerationPrompt> batch_of(const Prompts& prompts,
                                                    const std::vector<std::uint64_t>& draws,
                                                    std::size_t begin, std::size_t end) {
  std::vector<models::llm::GenerationPrompt> batch;
  for (std::size_t i = begin; i < end; ++i) {
    batch.push_back({prompts[i], draws[i]});
  }
  return batch;
}

std::vector<std::string> run_batch(const TextGenerator& generator,
                                   const models::llm::GenerationOptions& options,
                                   const std::vector<models::llm::GenerationPrompt>& batch) {
  std::vector<std::string> texts;
  for (const auto& ids : generator.model.generate(batch, options, generator.adapter)) {
    texts.push_back(generator.to_line(generator.tokenizer.decode(ids)));
  }
  return texts;
}

// Ranks' lines {"first": position, "texts": […]} into the list.
void place_texts(const std::vector<std::string>& parts, std::vector<std::string>& texts) {
  io::JsonParser parser;
  for (const std::string& part : parts) {
    for (std::size_t begin = 0; begin < part.size();) {
      const std::size_t end = part.find('\n', begin);
      io::JsonValue value;
      io::JsonParser::Problem problem;
      RALLREC_CHECK(parser.parse(part.substr(begin, end - begin), &value, &problem),
                    "generate_texts: " + problem.message);
      std::int64_t place = *value.find("first")->integer();
      for (const io::JsonValue& text : *value.find("texts")->array()) {
        texts[static_cast<std::size_t>(place++)] = *text.string();
      }
      begin = end + 1;
    }
  }
}

}  // namespace

models::llm::GenerationOptions generation_options(const TextGenerator& generator) {
  models::llm::GenerationOptions options;
  options.max_new_tokens = generator.options.max_new_tokens;
  options.temperature = generator.options.temperature;
  options.top_p = generator.options.top_p;
  options.seed = static_cast<std::uint64_t>(generator.options.seed);
  options.vocabulary = generator.tokenizer.vocab_size();
  for (const char* end : {"<|eot_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "</s>"}) {
    if (const auto id = generator.tokenizer.special_id(end)) {
      options.stop_ids.push_back(*id);
    }
  }
  return options;
}

std::size_t batch_end(const config::DescribeOptions& options, const models::llm::LlmConfig& config,
                      const Prompts& prompts, std::size_t begin) {
  const std::int64_t budget = options.memory_budget << 20;
  const std::int64_t per_token = models::llm::kv_bytes_per_token(config);
  std::int64_t longest = 0;
  std::size_t end = begin;
  while (end < prompts.size() && static_cast<std::int64_t>(end - begin) < options.batch_size) {
    longest = std::max(longest, static_cast<std::int64_t>(prompts[end].size()));
    const std::int64_t slots = static_cast<std::int64_t>(end - begin) + 1;
    if (end > begin && slots * (longest + options.max_new_tokens) * per_token > budget) {
      break;
    }
    ++end;
  }
  return end;
}

std::vector<std::string> generate_texts(const TextGenerator& generator, const Prompts& prompts,
                                        const std::vector<std::uint64_t>& draws,
                                        PartialTexts& partial,
                                        distributed::Communicator& communicator) {
  const models::llm::GenerationOptions options = generation_options(generator);
  const auto ranks = static_cast<std::size_t>(communicator.size());
  const auto rank = static_cast<std::size_t>(communicator.rank());
  logging::Progress progress("describe", "prompts", static_cast<std::int64_t>(prompts.size()));
  std::vector<std::string> texts(prompts.size());
  std::string mine;
  std::size_t turn = 0;
  for (std::size_t begin = 0, end = 0; begin < prompts.size(); begin = end) {
    end = batch_end(generator.options, generator.model.config(), prompts, begin);
    const auto batch = batch_of(prompts, draws, begin, end);
    const std::string key = batch_key(generator, batch);
    if (const auto* found = partial.find(key)) {
      std::copy(found->begin(), found->end(), texts.begin() + static_cast<std::ptrdiff_t>(begin));
    } else if (turn++ % ranks == rank) {
      const std::vector<std::string> written = run_batch(generator, options, batch);
      partial.add(key, written);
      io::JsonObjectWriter line;
      line.add("first", begin).add("texts", written);
      mine += line.text() + "\n";
    }
    progress.advance(static_cast<std::int64_t>(batch.size()));
  }
  generator.model.join_others();
  const std::vector<std::string> parts = distributed::all_gather_strings(communicator, mine);
  if (rank != 0) {
    return {};
  }
  place_texts(parts, texts);
  return texts;
}

std::string on_one_line(const std::string& text) {
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
  const auto is_blank = [&](char c) { return is_control(c) || c == ' '; };
  std::string line;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_blank(text[end])) {
      ++end;
    }
    if (end == i) {
      line.push_back(text[i++]);
      continue;
    }
    const auto spaces = std::count(text.begin() + static_cast<std::ptrdiff_t>(i),
                                   text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    if (!line.empty() && end < text.size()) {
      const bool plain = spaces == static_cast<std::ptrdiff_t>(end - i);
      line.append(plain ? end - i : 1, ' ');
    }
    i = end;
  }
  return line;
}

std::string without_line_breaks(const std::string& text) {
  std::string kept;
  for (std::size_t i = 0; i < text.size();) {
    constexpr std::string_view kEnd = "</s>";
    if (text.compare(i, kEnd.size(), kEnd) == 0) {
      i += kEnd.size();
      continue;
    }
    const char c = text[i++];
    if (c != '\n' && c != '\r' && c != '"') {
      kept.push_back(c);
    }
  }
  return on_one_line(kept);
}

}  // namespace rallrec::pipeline
