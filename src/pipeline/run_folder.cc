#include "pipeline/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <vector>

#include "config/write.h"
#include "core/host_name.h"
#include "core/parallel_for.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "pipeline/build_info.h"

namespace rallrec::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// The value of the first "name : value" line of /proc/cpuinfo.
std::string cpu_line(const std::string& cpuinfo, const std::string& name) {
  const std::size_t begin = cpuinfo.find(name);
  const std::size_t colon = cpuinfo.find(':', begin);
  if (begin == std::string::npos || colon == std::string::npos) {
    return "";
  }
  const std::size_t end = cpuinfo.find('\n', colon);
  return cpuinfo.substr(colon + 1, end - colon - 1);
}

// Instructions that decide which kernels run and so, in the last bits, what they compute.
Json vector_instructions(const std::string& flags) {
  static const std::set<std::string> kOfInterest = {
      "avx",      "avx2",        "fma",         "f16c",     "avx512f",  "avx512bw",
      "avx512vl", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_bf16",
      "amx_int8", "asimd",       "sve",         "i8mm",     "bf16"};
  Json found = Json::array();
  std::istringstream words(flags);
  for (std::string word; words >> word;) {
    if (kOfInterest.count(word) != 0) {
      found.push_back(word);
    }
  }
  return found;
}

Json cpu_description() {
  const std::string path = "/proc/cpuinfo";
  const std::string text = io::file_exists(path) ? io::read_file(path) : "";
  std::string model = cpu_line(text, "model name");
  model.erase(0, model.find_first_not_of(' '));
  return {{"model", model},
          {"cores", sysconf(_SC_NPROCESSORS_ONLN)},
          {"instructions", vector_instructions(cpu_line(text, "\nflags"))}};
}

}  // namespace

void describe_run(const std::string& run_dir, const config::Options& options,
                  distributed::Communicator& communicator) {
  const std::vector<std::string> hosts = distributed::all_gather_strings(communicator, host_name());
  if (communicator.rank() != 0) {
    return;
  }
  io::write_file_atomically(run_dir + "/config.resolved.toml", config::resolved_toml(options));
  const BuildInfo& build = build_info();
  const Json json = {{"rallrec",
                      {{"version", build.version},
                       {"commit", build.commit},
                       {"compiler", build.compiler},
                       {"build_type", build.build_type},
                       {"cuda", build.cuda}}},
                     {"libtorch", build.torch},
                     {"ranks", communicator.size()},
                     {"threads_per_rank", thread_count()},
                     {"hosts", hosts},
                     {"cpu", cpu_description()}};
  io::write_file_atomically(run_dir + "/environment.json",
                            json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace rallrec::pipeline
