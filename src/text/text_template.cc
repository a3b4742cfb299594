#include "text/text_template.h"

#include <algorithm>

#include "config/did_you_mean.h"
#include "core/error.h"

namespace rallrec::text {

class TemplateParser {
 public:
  TemplateParser(std::string_view text, const std::string& path, std::size_t line,
                 const std::vector<std::string>& known, TextTemplate& result)
      : text_(text), path_(path), line_(line), known_(known), result_(result) {}

  void parse() {
    while (position_ < text_.size()) {
      step();
    }
    if (group_ != 0) {
      fail("\"[[\" has no \"]]\"");
    }
    end_literal();
  }

 private:
  bool take(std::string_view token) {
    if (text_.substr(position_, token.size()) != token) {
      return false;
    }
    position_ += token.size();
    return true;
  }

  void step() {
    if (take("{{") || take("}}")) {
      literal_.push_back(text_[position_ - 1]);
    } else if (take("[[")) {
      open_group();
    } else if (take("]]")) {
      close_group();
    } else if (take("{")) {
      placeholder();
    } else if (take("}")) {
      fail("\"}\" has no \"{\"; write \"}}\" for a brace");
    } else {
      line_ += text_[position_] == '\n' ? 1 : 0;
      literal_.push_back(text_[position_++]);
    }
  }

  void open_group() {
    if (group_ != 0) {
      fail("\"[[\" inside \"[[\"");
    }
    end_literal();
    group_ = ++result_.groups_;
  }

  void close_group() {
    if (group_ == 0) {
      fail("\"]]\" has no \"[[\"");
    }
    end_literal();
    group_ = 0;
  }

  void placeholder() {
    const std::size_t end = text_.find('}', position_);
    if (end == std::string_view::npos) {
      fail("\"{\" has no \"}\"; write \"{{\" for a brace");
    }
    std::string name(text_.substr(position_, end - position_));
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      fail("unknown placeholder {" + name + "}" + config::did_you_mean(name, known_));
    }
    position_ = end + 1;
    end_literal();
    result_.pieces_.push_back({std::move(name), true, group_});
  }

  void end_literal() {
    if (!literal_.empty()) {
      result_.pieces_.push_back({literal_, false, group_});
      literal_.clear();
    }
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw_usage(path_ + ":" + std::to_string(line_) + ": " + message);
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t line_;
  const std::vector<std::string>& known_;
  TextTemplate& result_;
  std::size_t position_ = 0;
  int group_ = 0;
  std::string literal_;
};

TextTemplate::TextTemplate(std::string_view text, const std::string& path, std::size_t line,
                           const std::vector<std::string>& known) {
  TemplateParser(text, path, line, known, *this).parse();
}

std::string TextTemplate::render(const FieldLookup& lookup) const {
  std::vector<std::string> values(pieces_.size());
  std::vector<bool> shown(static_cast<std::size_t>(groups_) + 1, false);
  shown[0] = true;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    values[i] = pieces_[i].is_placeholder ? lookup(pieces_[i].text) : pieces_[i].text;
    if (pieces_[i].is_placeholder && !values[i].empty()) {
      shown[static_cast<std::size_t>(pieces_[i].group)] = true;
    }
  }
  std::string text;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (shown[static_cast<std::size_t>(pieces_[i].group)]) {
      text += values[i];
    }
  }
  return text;
}

}  // namespace rallrec::text
