#pragma once

#include <string>

namespace rallrec::io::testing {

// A .npy file from the text of its header and data, whatever they say.
inline std::string with_header(const std::string& literal, const std::string& data,
                               char version = 1) {
  std::string text = std::string("\x93NUMPY") + version + '\0';
  text += static_cast<char>(literal.size() & 255);
  text += static_cast<char>(literal.size() >> 8);
  if (version > 1) {
    text += std::string(2, '\0');
  }
  return text + literal + data;
}

}  // namespace rallrec::io::testing
