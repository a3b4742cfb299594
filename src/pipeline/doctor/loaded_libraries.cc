#include "pipeline/doctor/loaded_libraries.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "config/did_you_mean.h"

namespace rallrec::pipeline {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

// Whether a file is the library "libgomp" (libgomp.so.1, libgomp-98b21ff3.so.1).
bool is_library(const std::string& path, const std::string& name) {
  const std::string file = file_name(path);
  return file.rfind(name, 0) == 0 && file.size() > name.size() &&
         (file[name.size()] == '.' || file[name.size()] == '-');
}

std::vector<std::string> named(const std::vector<std::string>& libraries,
                               const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& path : libraries) {
    if (std::any_of(names.begin(), names.end(),
                    [&](const std::string& name) { return is_library(path, name); })) {
      found.push_back(path);
    }
  }
  return found;
}

// At most one of a kind.
Finding one_of(const std::string& what, const std::vector<std::string>& found,
               const std::string& trouble) {
  if (found.size() > 1) {
    return {
        Severity::kBroken, "libraries",
        what + " is loaded " + std::to_string(found.size()) + " times: " + config::joined(found),
        trouble, ExitCode::kInternal};
  }
  return {Severity::kOk, "libraries", what + ": " + (found.empty() ? "none" : found.front()), ""};
}

}  // namespace

std::vector<std::string> mapped_libraries(const std::string& maps) {
  std::set<std::string> paths;
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t path = line.find('/');
    const std::size_t rights = line.find(' ');
    if (path != std::string::npos && line.substr(rights + 1, 4).find('x') != std::string::npos &&
        line.find(".so", path) != std::string::npos) {
      paths.insert(line.substr(path));
    }
  }
  return {paths.begin(), paths.end()};
}

Findings library_findings(const std::vector<std::string>& libraries) {
  Findings findings = {
      one_of("OpenMP", named(libraries, {"libgomp", "libomp", "libiomp5"}),
             "two OpenMP runtimes fight for the cores; remove LD_PRELOAD and LD_LIBRARY_PATH "
             "entries that bring a second one"),
      one_of("NCCL", named(libraries, {"libnccl"}),
             "use the NCCL that torch brought alone; look at LD_LIBRARY_PATH"),
      one_of("HDF5", named(libraries, {"libhdf5", "libhdf5_serial", "libhdf5_openmpi"}),
             "one flavour of HDF5 per process; look at LD_LIBRARY_PATH and LD_PRELOAD")};
  const auto protobuf = named(libraries, {"libprotobuf", "libprotobuf-lite"});
  findings.push_back(protobuf.empty()
                         ? Finding{Severity::kOk, "libraries", "protobuf: none", ""}
                         : Finding{Severity::kBroken, "libraries",
                                   "a protobuf library is loaded: " + config::joined(protobuf),
                                   "libtorch carries its own, and two corrupt memory; look at "
                                   "LD_PRELOAD",
                                   ExitCode::kInternal});
  std::vector<std::string> versions;
  for (const std::string& path :
       named(libraries, {"libtorch_cpu", "libc10", "libmpi", "libpmix", "libucp", "libhwloc",
                         "libspdlog", "libfmt", "libsimdjson", "libpcre2-8", "libcrypto",
                         "libcudart", "libcublasLt", "libcuda", "libc", "libstdc++"})) {
    std::error_code ignored;
    const auto real = std::filesystem::canonical(path, ignored);
    versions.push_back(ignored ? file_name(path) : real.filename().string());
  }
  findings.push_back({Severity::kNote, "libraries", "loaded: " + config::joined(versions), ""});
  return findings;
}

}  // namespace rallrec::pipeline
