#pragma once

#include <string>

namespace rallrec::pipeline {

// What this binary was built from, fixed when CMake configured it.
struct BuildInfo {
  const char* version;   // "0.1.0"
  const char* commit;    // of the source tree, "unknown" outside a repository
  const char* compiler;  // "GNU 12.2.0"
  const char* build_type;
  const char* torch;
  bool cuda;
};

const BuildInfo& build_info();

// "0.1.0+1a2b3c4d5e6f": manifests name it, so another commit's results are made again.
std::string code_version();

// What `rallrec --version` prints.
std::string version_text();

}  // namespace rallrec::pipeline
