#include "text/prompt_template.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/json_writer.h"

namespace rallrec::text {
namespace {

constexpr View kViews[] = {View::kSimple, View::kHigh, View::kSequential, View::kRerank};

// Adds what every item has to the fields of the data set.
std::string item_value(const FieldLookup& item, std::string_view name) {
  return name == "short_title" ? short_title(item("title")) : item(name);
}

std::string trimmed(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(' ');
  return begin == std::string::npos ? ""
                                    : line.substr(begin, line.find_last_not_of(' ') - begin + 1);
}

}  // namespace

View view_from(const std::string& name, const std::string& key) {
  for (const View view : kViews) {
    if (name == view_name(view)) {
      return view;
    }
  }
  throw_usage(key + " holds \"" + name + "\"; expected simple, high, sequential or rerank");
}

const char* view_name(View view) {
  switch (view) {
    case View::kSimple:
      return "simple";
    case View::kHigh:
      return "high";
    case View::kSequential:
      return "sequential";
    case View::kRerank:
      return "rerank";
  }
  throw Error("unknown view");
}

std::string rating_text(double rating) {
  return rating == std::floor(rating) && std::fabs(rating) < 1e15
             ? std::to_string(static_cast<std::int64_t>(rating))
             : io::to_json(static_cast<float>(rating));
}

std::string_view without_year(std::string_view title) {
  constexpr std::size_t kYear = 6;  // "(1995)"
  if (title.size() <= kYear || title.back() != ')' || title[title.size() - kYear] != '(' ||
      title.substr(title.size() - kYear + 1, 4).find_first_not_of("0123456789") !=
          std::string_view::npos) {
    return title;
  }
  title.remove_suffix(kYear);
  const std::size_t last = title.find_last_not_of(' ');
  return title.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string short_title(std::string_view title) {
  const std::string_view rest = without_year(title);
  for (const std::string_view article : {"The", "A", "An"}) {
    const std::size_t comma = rest.size() - std::min(rest.size(), article.size() + 2);
    if (comma > 0 && rest.substr(comma, 2) == ", " && rest.substr(comma + 2) == article) {
      return std::string(article) + " " + std::string(rest.substr(0, comma));
    }
  }
  return std::string(rest);
}

std::string PromptTemplate::element(const HistoryElement& element) const {
  return element_.render([&](std::string_view name) -> std::string {
    if (name == "rating") {
      return rating_text(element.rating);
    }
    if (name == "stars") {
      return element.rating <= 1.0 ? "star" : "stars";
    }
    if (name == "liked") {
      return element.liked ? "Yes" : "No";
    }
    return item_value(element.item, name);
  });
}

std::string PromptTemplate::prompt(View view, const FieldLookup& user, const FieldLookup& target,
                                   const std::vector<std::string>& elements, ListFormat format,
                                   double threshold) const {
  const auto item = [&](std::string_view name) { return item_value(target, name); };
  const auto lookup = [&](std::string_view name) -> std::string {
    if (name == "history") {
      return format_list(elements, format);
    }
    if (name == "threshold") {
      return rating_text(threshold);
    }
    return name == "intro" ? intro_.at(view_name(view)).render(item) : item(name);
  };
  std::string text;
  for (const std::string& key : order_) {
    const TextTemplate& line = lines_.at(key);
    const std::string rendered =
        trimmed(line.render(key == "profile" ? user : FieldLookup(lookup)));
    if (!rendered.empty()) {
      text += (text.empty() ? "" : "\n") + rendered;
    }
  }
  return text;
}

std::string PromptTemplate::title_text(const FieldLookup& item) const {
  return title_.render([&](std::string_view name) { return item_value(item, name); });
}

std::string PromptTemplate::describe_prompt(const FieldLookup& item, std::int64_t max_words) const {
  return describe_.render([&](std::string_view name) {
    return name == "max_words" ? std::to_string(max_words) : item_value(item, name);
  });
}

}  // namespace rallrec::text
