#pragma once

#include <string>

namespace rallrec::distributed {

// Where in the source a collective is called, so that reports can name it. As the default of a
// function's last parameter it is the place of that function's call; a function that calls
// collectives for others takes one and hands it on.
struct CallSite {
  const char* file = "";  // as the compiler was given it; lives as long as the program
  int line = 0;           // 0 = not known

  static constexpr CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// "trainer.cc:123"; "" where it is not known.
std::string text_of(const CallSite& site);

}  // namespace rallrec::distributed
