#include "pipeline/refcompat_embedding.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "logging/progress.h"
#include "pipeline/text_embedder.h"

namespace rallrec::pipeline {
namespace {

using Texts = std::vector<std::vector<std::int64_t>>;

// The places of texts that have a token.
std::vector<std::size_t> filled_places(const Texts& texts) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) {
      places.push_back(i);
    }
  }
  return places;
}

// "place id id …" per text, to travel between ranks.
void add_line(std::size_t place, const std::vector<std::int64_t>& ids, std::string& lines) {
  lines += std::to_string(place);
  for (const std::int64_t id : ids) {
    lines.append(1, ' ').append(std::to_string(id));
  }
  lines += '\n';
}

void place_lines(const std::string& lines, Texts& texts) {
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::size_t place = 0;
    words >> place;
    for (std::int64_t id = 0; words >> id;) {
      texts[place].push_back(id);
    }
  }
}

// What the model writes behind each text, on all ranks; batches are cut from the list alone and go
// to ranks in turn.
Texts continuations(const TextGenerator& generator, const Texts& texts,
                    distributed::Communicator& communicator) {
  const models::llm::GenerationOptions options = generation_options(generator);
  const std::vector<std::size_t> places = filled_places(texts);
  Texts prompts;
  for (const std::size_t place : places) {
    prompts.push_back(texts[place]);
  }
  std::string mine;
  int turn = 0;
  // Batches go in turn: each rank has about its share of the texts.
  const auto share = static_cast<std::int64_t>(prompts.size()) / communicator.size();
  logging::Progress progress("embed", "continuations", std::max<std::int64_t>(1, share));
  for (std::size_t begin = 0, end = 0; begin < prompts.size(); begin = end, ++turn) {
    end = batch_end(generator.options, generator.model.config(), prompts, begin);
    if (turn % communicator.size() == communicator.rank()) {
      std::vector<models::llm::GenerationPrompt> batch;
      for (std::size_t i = begin; i < end; ++i) {
        batch.push_back({prompts[i], places[i]});
      }
      const Texts written = generator.model.generate(batch, options, generator.adapter);
      for (std::size_t i = begin; i < end; ++i) {
        add_line(places[i], written[i - begin], mine);
      }
      progress.advance(static_cast<std::int64_t>(end - begin));
    }
  }
  generator.model.join_others();
  Texts all(texts.size());
  for (const std::string& lines : distributed::all_gather_strings(communicator, mine)) {
    place_lines(lines, all);
  }
  return all;
}

}  // namespace

std::vector<std::int64_t> text_as_read(std::vector<std::int64_t> text,
                                       const std::vector<std::int64_t>& continuation,
                                       std::int64_t longest) {
  const bool broken_off = static_cast<std::int64_t>(continuation.size()) >= longest;
  const auto end = continuation.end() - (broken_off ? 1 : 0);
  if (end == continuation.begin()) {
    return {};
  }
  text.insert(text.end(), continuation.begin(), end);
  return text;
}

at::Tensor embed_generated_states(const TextGenerator& generator, const Texts& texts,
                                  const config::EmbedOptions& options,
                                  distributed::Communicator& communicator) {
  const Texts written = continuations(generator, texts, communicator);
  Texts read(texts.size());
  Texts unread(texts.size());  // texts whose continuation is empty
  for (std::size_t i = 0; i < texts.size(); ++i) {
    read[i] = text_as_read(texts[i], written[i], generator.options.max_new_tokens);
    if (read[i].empty()) {
      unread[i] = texts[i];
    }
  }
  config::EmbedOptions last = options;
  last.pooling = "last";
  const at::Tensor states = embed_texts(generator.model, read, last, communicator);
  // Each row is zero in one of them.
  return states + embed_texts(generator.model, unread, options, communicator);
}

}  // namespace rallrec::pipeline
