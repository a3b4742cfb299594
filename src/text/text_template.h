#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rallrec::text {

// Gives the value of a placeholder; "" where there is none.
using FieldLookup = std::function<std::string(std::string_view name)>;

// Text with placeholders {name}. A part in double brackets, [[ … {name} … ]], is left out where all
// its placeholders are empty; brackets do not nest. "{{" and "}}" are single braces.
class TextTemplate {
 public:
  TextTemplate() = default;
  // Parses `text`, which starts on line `line` of the file `path`. A placeholder that is not in
  // `known`, or brackets and braces without their other half, are usage errors naming file and
  // line.
  TextTemplate(std::string_view text, const std::string& path, std::size_t line,
               const std::vector<std::string>& known);

  std::string render(const FieldLookup& lookup) const;

 private:
  struct Piece {
    std::string text;  // literal text, or the placeholder's name
    bool is_placeholder = false;
    int group = 0;  // 0 = always there; parts in brackets count from 1
  };

  std::vector<Piece> pieces_;
  int groups_ = 0;

  friend class TemplateParser;
};

}  // namespace rallrec::text
