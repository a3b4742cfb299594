#pragma once

#include <string>
#include <vector>

namespace rallrec::commands {

// Runs tools/<script> with the Python of the project's venv and waits for it. A script that ends
// with another code than 0 becomes an Error with that code and the last line it wrote to stderr.
// Missing Python or script: exit 66 with the cure.
void run_python_tool(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace rallrec::commands
