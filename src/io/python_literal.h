#pragma once

#include <string_view>

#include "io/json_parser.h"

namespace rallrec::io {

// Parses a Python literal such as {'asin': '6302', 'price': 9.9, 'categories': [['Books', 'Art']]}:
// the lines of old Amazon metadata. Nothing is evaluated. Known are dict with text keys, list,
// tuple, str in either quotes with its escapes, int and float in decimal, True, False and None;
// tuples become arrays. `text` is valid UTF-8. Refused as in JsonParser: what is no such literal, a
// repeated key, NUL and lone surrogates, numbers beyond 64 bits or a finite double, nesting deeper
// than 32. False with `problem` set then.
bool parse_python_literal(std::string_view text, JsonValue* value, JsonParser::Problem* problem);

}  // namespace rallrec::io
