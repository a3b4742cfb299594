#include "text/tokenizer_file.h"

#include <array>
#include <filesystem>
#include <string_view>
#include <unordered_map>

#include "core/error.h"
#include "io/json_value.h"
#include "text/byte_level.h"
#include "text/pre_tokenizer.h"
#include "text/utf8.h"

namespace rallrec::text {
namespace {

// Deep enough for any real file; nesting beyond it is refused before it can exhaust the stack.
constexpr std::size_t kMaxDepth = 32;

// Token text, as the file spells it, to id. Views into the parsed document.
using Vocabulary = std::unordered_map<std::string_view, std::int32_t>;

std::string index_step(std::size_t index) { return "[" + std::to_string(index) + "]"; }

simdjson::padded_string load_bytes(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) {
    throw_missing(path, "cannot be read (" + error.message() +
                            "); a tokenizer folder must hold tokenizer.json");
  }
  if (size > kMaxTokenizerFileBytes) {
    throw_bad_data(path, "is " + std::to_string(size) + " bytes; at most " +
                             std::to_string(kMaxTokenizerFileBytes) + " are accepted");
  }
  simdjson::padded_string bytes;
  if (simdjson::padded_string::load(path).get(bytes) != simdjson::SUCCESS) {
    throw_io(path, "reading", errno);
  }
  return bytes;
}

simdjson::dom::element parse(simdjson::dom::parser& parser, const std::string& path,
                             const simdjson::padded_string& bytes) {
  simdjson::dom::element root;
  simdjson::error_code error = parser.allocate(bytes.size() + 1, kMaxDepth);
  if (error == simdjson::SUCCESS) {
    error = parser.parse(bytes).get(root);
  }
  if (error != simdjson::SUCCESS) {
    io::parse_json(path, std::string_view(bytes));  // names the place
    throw_bad_data(path, std::string("is not JSON as expected: ") + simdjson::error_message(error));
  }
  return root;
}

void refuse_other_models(const JsonNode& root) {
  if (const auto normalizer = root.find("normalizer")) {
    normalizer->fail("a normalizer is not known here; expected null");
  }
  const JsonNode model = root.at("model");
  if (model.find("type") && model.type() != "BPE") {
    model.fail("type must be \"BPE\"");
  }
  for (const char* name : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto member = model.find(name);
    if (member && !member->is_empty_string()) {
      member->fail("must be null");
    }
  }
  if (model.bool_or("byte_fallback", false)) {
    model.fail("byte_fallback is not known here");
  }
}

void check_token(const JsonNode& node, std::string_view token) {
  if (token.empty() || token.size() > kMaxTokenBytes) {
    node.fail("a token has " + std::to_string(token.size()) + " bytes; expected 1 to " +
              std::to_string(kMaxTokenBytes));
  }
}

Vocabulary read_vocabulary(const JsonNode& node) {
  const simdjson::dom::object object = node.as_object();
  Vocabulary vocabulary;
  for (const simdjson::dom::key_value_pair entry : object) {
    check_token(node, entry.key);
    if (vocabulary.size() == kMaxTokens) {
      node.fail("more than " + std::to_string(kMaxTokens) + " tokens");
    }
    const auto id = node.child(entry.value, std::string(entry.key)).as_index(kMaxTokens);
    if (!vocabulary.emplace(entry.key, static_cast<std::int32_t>(id)).second) {
      node.fail("token \"" + std::string(entry.key) + "\" is listed twice");
    }
  }
  return vocabulary;
}

TokenizerFile::AddedToken read_added_token(const JsonNode& node, const Vocabulary& vocabulary) {
  const std::string_view content = node.at("content").as_string();
  check_token(node, content);
  const auto id = static_cast<std::int32_t>(node.at("id").as_index(kMaxTokens));
  const auto known = vocabulary.find(content);
  if (known != vocabulary.end() && known->second != id) {
    node.fail("has id " + std::to_string(id) + " here and " + std::to_string(known->second) +
              " in model.vocab");
  }
  return {id, std::string(content), node.bool_or("special", false)};
}

void read_added_tokens(const JsonNode& root, const Vocabulary& vocabulary, TokenizerFile& file) {
  const auto node = root.find("added_tokens");
  if (!node) {
    return;
  }
  for (const simdjson::dom::element element : node->as_array()) {
    if (file.added_tokens.size() == kMaxTokens) {
      node->fail("more than " + std::to_string(kMaxTokens) + " tokens");
    }
    const JsonNode entry = node->child(element, index_step(file.added_tokens.size()));
    file.added_tokens.push_back(read_added_token(entry, vocabulary));
  }
}

// Puts every token at its id; each id must be taken exactly once.
class TokenPlacer {
 public:
  TokenPlacer(const JsonNode& root, std::size_t count, TokenizerFile& file)
      : root_(root), file_(file), taken_(count, false) {
    file_.token_bytes.resize(count);
    file_.added.resize(count, false);
  }

  void place(std::int32_t id, std::string bytes, bool added) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= taken_.size()) {
      root_.fail("token id " + std::to_string(id) + " leaves a gap: there are " +
                 std::to_string(taken_.size()) + " tokens, so ids must be 0 to " +
                 std::to_string(taken_.size() - 1));
    }
    if (taken_[index]) {
      root_.fail("token id " + std::to_string(id) + " is used twice");
    }
    taken_[index] = true;
    file_.token_bytes[index] = std::move(bytes);
    file_.added[index] = added;
  }

 private:
  const JsonNode& root_;
  TokenizerFile& file_;
  std::vector<bool> taken_;
};

void place_tokens(const JsonNode& root, const Vocabulary& vocabulary, TokenizerFile& file) {
  std::size_t count = vocabulary.size();
  std::unordered_map<std::string_view, bool> added;
  for (const auto& token : file.added_tokens) {
    count += vocabulary.count(token.content) == 0 ? 1 : 0;
    if (!added.emplace(token.content, true).second) {
      root.fail("added_tokens: \"" + token.content + "\" is listed twice");
    }
  }
  TokenPlacer placer(root, count, file);
  for (const auto& token : file.added_tokens) {
    placer.place(token.id, token.content, true);
  }
  for (const auto& [token, id] : vocabulary) {
    if (added.count(token) != 0) {
      continue;
    }
    std::string bytes;
    if (!append_byte_level_bytes(token, bytes)) {
      root.fail("model.vocab: token \"" + std::string(token) +
                "\" has a character outside the byte-level alphabet");
    }
    placer.place(id, std::move(bytes), false);
  }
}

// The two halves of a merge: "left right", or ["left", "right"] in newer files.
std::array<std::string_view, 2> merge_halves(const JsonNode& node) {
  if (!node.is_array()) {
    const std::string_view both = node.as_string();
    const std::size_t space = both.find(' ');
    if (space == std::string_view::npos || both.find(' ', space + 1) != std::string_view::npos) {
      node.fail("must be two tokens with one space between them");
    }
    return {both.substr(0, space), both.substr(space + 1)};
  }
  const simdjson::dom::array pair = node.as_array();
  if (pair.size() != 2) {
    node.fail("must hold two tokens");
  }
  return {node.child(pair.at(0), "[0]").as_string(), node.child(pair.at(1), "[1]").as_string()};
}

std::int32_t known_token(const JsonNode& node, const Vocabulary& vocabulary,
                         std::string_view token) {
  const auto found = vocabulary.find(token);
  if (found == vocabulary.end()) {
    node.fail("token \"" + std::string(token) + "\" is not in model.vocab");
  }
  return found->second;
}

void read_merges(const JsonNode& node, const Vocabulary& vocabulary, TokenizerFile& file) {
  const simdjson::dom::array array = node.as_array();
  // size() saturates at 2^24 - 1, far above the limit.
  if (array.size() > kMaxMerges) {
    node.fail("more than " + std::to_string(kMaxMerges) + " merges");
  }
  file.merges = MergeTable(array.size());
  std::int32_t rank = 0;
  std::string joined;
  for (const simdjson::dom::element element : array) {
    const JsonNode entry = node.child(element, index_step(static_cast<std::size_t>(rank)));
    const auto [left, right] = merge_halves(entry);
    joined.assign(left).append(right);
    const std::int32_t left_id = known_token(entry, vocabulary, left);
    const std::int32_t right_id = known_token(entry, vocabulary, right);
    const std::int32_t token = known_token(entry, vocabulary, joined);
    if (file.added[token] || file.added[left_id] || file.added[right_id]) {
      entry.fail("takes part in an added token, which text may not encode to");
    }
    if (!file.merges.insert(left_id, right_id, {rank, token})) {
      entry.fail("the same merge is listed before");
    }
    ++rank;
  }
}

}  // namespace

TokenizerFile read_tokenizer_file(const std::string& path) {
  const simdjson::padded_string bytes = load_bytes(path);
  simdjson::dom::parser parser;
  const JsonNode root(parse(parser, path, bytes), path, "");
  refuse_other_models(root);
  TokenizerFile file;
  file.path = path;
  const JsonNode model = root.at("model");
  const Vocabulary vocabulary = read_vocabulary(model.at("vocab"));
  read_added_tokens(root, vocabulary, file);
  place_tokens(root, vocabulary, file);
  read_merges(model.at("merges"), vocabulary, file);
  file.ignore_merges = model.bool_or("ignore_merges", false);
  file.split_rule = read_pre_tokenizer(root.at("pre_tokenizer"));
  file.bos_id = read_bos_id(root, static_cast<std::int64_t>(file.token_bytes.size()));
  return file;
}

}  // namespace rallrec::text
