#pragma once

#include <string>
#include <vector>

namespace rallrec::testing {

// What a process left behind.
struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

// Runs a program without a shell and waits for it. The first argument is the program; `variables`
// ("NAME=value") are added to the environment.
Outcome run_program(const std::vector<std::string>& arguments,
                    const std::vector<std::string>& variables = {});

// The binary under test with these arguments.
Outcome rallrec(const std::vector<std::string>& arguments,
                const std::vector<std::string>& variables = {});

int lines_in(const std::string& text);

}  // namespace rallrec::testing
