#include "data/datasets/html_text.h"

#include <utility>

namespace rallrec::data {
namespace {

constexpr std::pair<std::string_view, char> kEntities[] = {
    {"&amp;", '&'},   {"&lt;", '<'},   {"&gt;", '>'},  {"&quot;", '"'},
    {"&apos;", '\''}, {"&#39;", '\''}, {"&#34;", '"'}, {"&nbsp;", ' '}};

// The entity that `text` begins with; an empty one where there is none.
std::pair<std::string_view, char> leading_entity(std::string_view text) {
  for (const auto& entity : kEntities) {
    if (text.substr(0, entity.first.size()) == entity.first) return entity;
  }
  return {"", ' '};
}

}  // namespace

std::string decode_entities(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto [name, character] = leading_entity(text.substr(at));
    result += name.empty() ? text[at] : character;
    at += name.empty() ? 1 : name.size();
  }
  return result;
}

}  // namespace rallrec::data
