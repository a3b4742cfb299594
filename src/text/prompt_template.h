#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/list_format.h"
#include "text/text_template.h"

namespace rallrec::text {

// What the history line of a prompt shows.
enum class View {
  kSimple,      // the newest K of the history, in time order; no retrieval
  kHigh,        // the K nearest to the target, nearest first
  kSequential,  // the same K in time order
  kRerank       // the K best of eq. 8
};

// Throws usage naming `key` where `name` is not simple, high, sequential or rerank.
View view_from(const std::string& name, const std::string& key);
const char* view_name(View view);

// One element of the history line: the item's fields and the user's rating.
struct HistoryElement {
  FieldLookup item;
  double rating = 0.0;
  // Whether the rating is above the threshold of a like.
  bool liked = false;
};

// The placeholders that a data set offers besides the built-in ones.
struct TemplateFields {
  std::vector<std::string> user;
  std::vector<std::string> item;
};

// The wording of prompts: a file of configs/prompts/. Its keys:
//   system                      text of the system message; may be ""
//   order = ["profile", …]      the lines of a prompt, joined by newlines; a line that comes out
//                               empty is left out
//   [lines] profile, intro, list, note, threshold, question, demand
//   [intro] simple, high, sequential, rerank    what {intro} stands for in each view
//   [element] text              one element of the list
//   [embed] title               the text that an item's title embedding is made of
//   [describe] system, prompt   asks for an item's description
// Placeholders: fields of the user in profile; fields of the target item in every line, in embed
// and describe; fields of the shown item in element. Built-in: {history}, {intro}, {threshold},
// {rating}, {stars} ("star" up to a rating of 1, "stars" above), {liked} (Yes or No), {short_title}
// (see below); in describe {max_words}. A field's name is what the data set calls it.
class PromptTemplate {
 public:
  // Throws kMissingInput, or usage naming file and line.
  static PromptTemplate load(const std::string& path, const TemplateFields& fields = {});

  const std::string& system() const { return system_; }
  const std::string& describe_system() const { return describe_system_; }

  std::string element(const HistoryElement& element) const;
  // `elements` are as element() gives them; `threshold` is the rating above which an item is liked.
  std::string prompt(View view, const FieldLookup& user, const FieldLookup& target,
                     const std::vector<std::string>& elements, ListFormat format,
                     double threshold) const;
  std::string title_text(const FieldLookup& item) const;
  // `max_words`: the longest description that is asked for.
  std::string describe_prompt(const FieldLookup& item, std::int64_t max_words) const;

 private:
  friend class PromptTemplateReader;

  std::string system_;
  std::string describe_system_;
  std::vector<std::string> order_;
  std::map<std::string, TextTemplate> lines_;
  std::map<std::string, TextTemplate> intro_;
  TextTemplate element_;
  TextTemplate title_;
  TextTemplate describe_;
};

// 4 as "4", 3.5 as "3.5".
std::string rating_text(double rating);
// "Heat (1995)" -> "Heat".
std::string_view without_year(std::string_view title);
// The title as one says it, without the year: "Sting, The (1973)" -> "The Sting".
std::string short_title(std::string_view title);

}  // namespace rallrec::text
