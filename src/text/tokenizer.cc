#include "text/tokenizer.h"

#include <array>
#include <atomic>
#include <unordered_map>

#include "core/error.h"
#include "text/byte_pair_merger.h"
#include "text/tokenizer_file.h"
#include "text/utf8.h"
#include "text/word_cache.h"

namespace rallrec::text {
namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> serial{0};
  return ++serial;
}

// Buffers of one thread, shared by all tokenizers.
struct Scratch {
  std::vector<std::size_t> ends;
  std::vector<std::int32_t> symbols;
  BytePairMerger merger;
  WordCache cache;
};

Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace

struct Tokenizer::State {
  explicit State(TokenizerFile contents);

  void encode_word(std::string_view word, Scratch& scratch, std::vector<std::int64_t>& ids) const;
  void merge_word(std::string_view word, Scratch& scratch, std::vector<std::int64_t>& ids) const;

  TokenizerFile file;
  WordSplitter splitter;
  std::uint64_t serial = next_serial();
  std::array<std::int32_t, 256> byte_token{};  // -1 = the vocabulary lacks it
  // Token bytes to id, added tokens left out. Filled only where ignore_merges asks for it.
  std::unordered_map<std::string_view, std::int32_t> whole_words;
  std::unordered_map<std::string_view, std::int32_t> added_tokens;
};

Tokenizer::State::State(TokenizerFile contents)
    : file(std::move(contents)), splitter(file.split_rule) {
  byte_token.fill(-1);
  for (std::size_t id = 0; id < file.token_bytes.size(); ++id) {
    const std::string& bytes = file.token_bytes[id];
    if (file.added[id]) {
      continue;
    }
    if (bytes.size() == 1) {
      byte_token[static_cast<std::uint8_t>(bytes[0])] = static_cast<std::int32_t>(id);
    }
    if (file.ignore_merges) {
      whole_words.emplace(bytes, static_cast<std::int32_t>(id));
    }
  }
  for (const auto& token : file.added_tokens) {
    added_tokens.emplace(token.content, token.id);
  }
}

void Tokenizer::State::merge_word(std::string_view word, Scratch& scratch,
                                  std::vector<std::int64_t>& ids) const {
  if (file.ignore_merges) {
    const auto whole = whole_words.find(word);
    if (whole != whole_words.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  scratch.symbols.clear();
  for (const char c : word) {
    const std::int32_t token = byte_token[static_cast<std::uint8_t>(c)];
    if (token >= 0) {
      scratch.symbols.push_back(token);
    }
  }
  scratch.merger.merge(scratch.symbols, file.merges, ids);
}

void Tokenizer::State::encode_word(std::string_view word, Scratch& scratch,
                                   std::vector<std::int64_t>& ids) const {
  if (word.size() > WordCache::kMaxWordBytes) {
    merge_word(word, scratch, ids);
    return;
  }
  WordCache::Slot& slot = scratch.cache.slot_of(word);
  if (!slot.holds(word)) {
    const std::size_t before = ids.size();
    merge_word(word, scratch, ids);
    slot.assign(word, ids.data() + before, ids.data() + ids.size());
    return;
  }
  ids.insert(ids.end(), slot.ids().begin(), slot.ids().end());
}

void check_text(std::string_view text, const std::string& where) {
  if (text.size() > kMaxTextBytes) {
    throw_bad_data(where, "the text has " + std::to_string(text.size()) + " bytes; at most " +
                              std::to_string(kMaxTextBytes) + " are encoded at once");
  }
  if (!is_utf8(text)) {
    throw_bad_data(where, "the text is not valid UTF-8");
  }
}

Tokenizer::Tokenizer(std::unique_ptr<const State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::string& folder) {
  return Tokenizer(std::make_unique<const State>(read_tokenizer_file(folder + "/tokenizer.json")));
}

void Tokenizer::encode(std::string_view text, std::vector<std::int64_t>& ids) const {
  check_text(text, "tokenizer input");
  Scratch& scratch = thread_scratch();
  scratch.cache.use_for(state_->serial);
  state_->splitter.split(text, scratch.ends);
  std::size_t begin = 0;
  for (const std::size_t end : scratch.ends) {
    state_->encode_word(text.substr(begin, end - begin), scratch, ids);
    begin = end;
  }
}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int64_t> ids;
  encode(text, ids);
  return ids;
}

std::string Tokenizer::decode(const std::vector<std::int64_t>& ids) const {
  std::string bytes;
  for (const std::int64_t id : ids) {
    if (id < 0 || id >= vocab_size()) {
      throw_bad_data("tokenizer input", "id " + std::to_string(id) + " is outside 0 to " +
                                            std::to_string(vocab_size() - 1));
    }
    bytes += state_->file.token_bytes[static_cast<std::size_t>(id)];
  }
  return bytes;
}

std::optional<std::int64_t> Tokenizer::special_id(std::string_view content) const {
  const auto found = state_->added_tokens.find(content);
  if (found == state_->added_tokens.end()) {
    return std::nullopt;
  }
  return found->second;
}

std::optional<std::int64_t> Tokenizer::bos_id() const { return state_->file.bos_id; }

const std::string& Tokenizer::path() const { return state_->file.path; }

std::int64_t Tokenizer::vocab_size() const {
  return static_cast<std::int64_t>(state_->file.token_bytes.size());
}

}  // namespace rallrec::text
