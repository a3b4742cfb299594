// Reads the TOML file of a PromptTemplate.
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "config/did_you_mean.h"
#include "core/error.h"
#include "io/files.h"
#include "text/prompt_template.h"

namespace rallrec::text {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

const Names kLines = {"profile", "intro", "list", "note", "threshold", "question", "demand"};
const Names kViewNames = {"simple", "high", "sequential", "rerank"};
const Names kUserFields = {"gender", "age", "age_group", "occupation", "zip", "country"};
const Names kItemFields = {"title",  "short_title", "genres", "year",
                           "author", "publisher",   "isbn",   "category"};

Names joined(Names names, const Names& more) {
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

toml::table parse(const std::string& path) {
  const std::string text = io::read_file(path, kMaxFileBytes);
  try {
    return toml::parse(text, path);
  } catch (const toml::parse_error& error) {
    throw_usage(path + ":" + std::to_string(error.source().begin.line) + ": " +
                std::string(error.description()));
  }
}

}  // namespace

// One table of the file. Complaints name file and line; keys it was not asked for are errors.
class TemplateTable {
 public:
  TemplateTable(const std::string& path, std::string name, const toml::table& table)
      : path_(path), name_(std::move(name)), table_(table) {}

  void allow_only(const Names& keys) const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
        fail(key.source().begin.line,
             "unknown key \"" + name + "\"" + config::did_you_mean(name, keys));
      }
    }
  }

  TemplateTable table(const std::string& key) const {
    const toml::table* inner = require(key).as_table();
    if (inner == nullptr) {
      fail(line_of(require(key)), key + " must be a table");
    }
    return {path_, key, *inner};
  }

  std::string text(const std::string& key) const {
    const toml::node& node = require(key);
    if (!node.is_string()) {
      fail(line_of(node), full(key) + " must be a text");
    }
    return node.as_string()->get();
  }

  TextTemplate text_template(const std::string& key, const Names& known) const {
    const std::string text = this->text(key);
    const toml::source_region& source = require(key).source();
    // The newline right behind an opening """ is not part of the text.
    const auto newlines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    const std::size_t lines = source.end.line - source.begin.line;
    return {text, path_, source.begin.line + (lines > newlines ? 1 : 0), known};
  }

  Names texts(const std::string& key) const {
    const toml::node& node = require(key);
    Names names;
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& entry : *array) {
        names.push_back(entry.value_or<std::string>(""));
      }
      return names;
    }
    fail(line_of(node), full(key) + " must be a list of texts");
  }

  bool has(const std::string& key) const { return table_.contains(key); }

  [[noreturn]] void fail_at(const std::string& key, const std::string& message) const {
    fail(line_of(require(key)), full(key) + ": " + message);
  }

 private:
  static std::size_t line_of(const toml::node& node) { return node.source().begin.line; }
  std::string full(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }

  const toml::node& require(const std::string& key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) {
      fail(line_of(table_), "key \"" + full(key) + "\" is missing");
    }
    return *node;
  }

  [[noreturn]] void fail(std::size_t line, const std::string& message) const {
    throw_usage(path_ + ":" + std::to_string(std::max<std::size_t>(line, 1)) + ": " + message);
  }

  const std::string& path_;
  std::string name_;
  const toml::table& table_;
};

class PromptTemplateReader {
 public:
  PromptTemplateReader(const TemplateTable& root, const TemplateFields& fields)
      : root_(root),
        user_(joined(kUserFields, fields.user)),
        item_(joined(kItemFields, fields.item)) {}

  PromptTemplate read() {
    root_.allow_only({"system", "order", "lines", "intro", "element", "embed", "describe"});
    result_.system_ = root_.text("system");
    read_lines();
    read_intro();
    const TemplateTable element = root_.table("element");
    element.allow_only({"text"});
    result_.element_ = element.text_template("text", joined(item_, {"rating", "stars", "liked"}));
    const TemplateTable embed = root_.table("embed");
    embed.allow_only({"title"});
    result_.title_ = embed.text_template("title", item_);
    const TemplateTable describe = root_.table("describe");
    describe.allow_only({"system", "prompt"});
    result_.describe_system_ = describe.text("system");
    result_.describe_ = describe.text_template("prompt", joined(item_, {"max_words"}));
    return std::move(result_);
  }

 private:
  void read_lines() {
    const TemplateTable lines = root_.table("lines");
    lines.allow_only(kLines);
    result_.order_ = root_.texts("order");
    for (const std::string& key : result_.order_) {
      if (std::find(kLines.begin(), kLines.end(), key) == kLines.end()) {
        root_.fail_at("order", "unknown line \"" + key + "\"" + config::did_you_mean(key, kLines));
      }
      const bool is_profile = key == "profile";
      const Names known = is_profile ? user_ : joined(item_, {"history", "intro", "threshold"});
      if (!result_.lines_.emplace(key, lines.text_template(key, known)).second) {
        root_.fail_at("order", "line \"" + key + "\" is named twice");
      }
    }
  }

  void read_intro() {
    const TemplateTable intro = root_.table("intro");
    intro.allow_only(kViewNames);
    for (const std::string& view : kViewNames) {
      result_.intro_.emplace(view, intro.text_template(view, item_));
    }
  }

  const TemplateTable& root_;
  const Names user_;
  const Names item_;
  PromptTemplate result_;
};

PromptTemplate PromptTemplate::load(const std::string& path, const TemplateFields& fields) {
  const toml::table document = parse(path);
  return PromptTemplateReader(TemplateTable(path, "", document), fields).read();
}

}  // namespace rallrec::text
