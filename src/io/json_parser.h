#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/json_value.h"

namespace rallrec::io {

// Parses many small texts with one set of buffers. See parse_json for what is refused.
class JsonParser {
 public:
  JsonParser();
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;

  struct Problem {
    std::size_t at = 0;  // byte in the text
    std::string message;
  };

  // False with `problem` set where the text is refused.
  bool parse(std::string_view text, JsonValue* value, Problem* problem);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Calls visit(line, value) for each line of JSON Lines that this program itself has written, each
// with its end. Throws Error (internal) where one is no JSON.
void for_each_own_line(const std::string& lines,
                       const std::function<void(std::string line, JsonValue value)>& visit);

}  // namespace rallrec::io
