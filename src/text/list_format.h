#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rallrec::text {

// How the history is written on its line.
enum class ListFormat {
  kPython,  // as Python's repr of a list of strings prints it
  kJson,    // a JSON array
  kPlain    // elements with "; " between them
};

// Throws usage where `name` is not python, json or plain.
ListFormat list_format_from(const std::string& name);

std::string format_list(const std::vector<std::string>& elements, ListFormat format);

// Python's repr of one string: single quotes; double quotes where the text has ' and no ";
// backslash doubled; control and other non-printable characters escaped; printable non-ASCII kept.
// `text` must be valid UTF-8.
std::string python_repr(std::string_view text);

}  // namespace rallrec::text
