#include "pipeline/doctor/machine_findings.h"

#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/did_you_mean.h"
#include "core/allowed_cores.h"
#include "core/host_name.h"
#include "core/parallel_for.h"
#include "core/usable_gpu.h"
#include "pipeline/doctor/control_group.h"

namespace rallrec::pipeline {
namespace {

constexpr double kGigabyte = 1e9;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

Finding core_finding(int ranks_here) {
  const auto cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const auto mine = static_cast<int>(allowed_cores().size());
  const int threads = thread_count();
  const std::string text =
      fmt::format("{}: {} cores, this rank may use {}; ranks here: {}, threads of each: {}",
                  host_name(), cores, mine, ranks_here, threads);
  if (threads > mine) {
    return {Severity::kWarning, "cores", text,
            "the launcher binds a rank to fewer cores than it has threads: mpirun --bind-to none, "
            "or srun --cpus-per-task, or --threads"};
  }
  if (threads * ranks_here > cores) {
    return {Severity::kWarning, "cores", text,
            threads == 1 ? "more ranks than cores: start fewer on this host"
                         : "more threads than cores: fewer ranks on this host, or --threads " +
                               std::to_string(std::max(1, cores / ranks_here))};
  }
  return {Severity::kOk, "cores", text, ""};
}

// kB of a line of /proc/meminfo, in bytes.
double memory_line(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) {
      return std::stod(line.substr(name.size() + 1)) * 1024.0;
    }
  }
  return 0.0;
}

Finding memory_finding() {
  const double available = memory_line("MemAvailable");
  std::string text = fmt::format("{:.1f} of {:.1f} GB available", available / kGigabyte,
                                 memory_line("MemTotal") / kGigabyte);
  std::ostringstream groups;
  groups << std::ifstream("/proc/self/cgroup").rdbuf();
  if (const auto limit = control_group_memory(groups.str(), "/sys/fs/cgroup")) {
    text += fmt::format(", and this job's control group may use {:.1f} GB", *limit / kGigabyte);
  }
  const double swapped = memory_line("SwapTotal") - memory_line("SwapFree");
  if (swapped > kGigabyte) {
    return {Severity::kWarning, "memory",
            text + fmt::format("; {:.1f} GB are swapped out", swapped / kGigabyte),
            "a rank that swaps is a slow rank; `rallrec plan` tells what a run needs"};
  }
  return {Severity::kOk, "memory", text, ""};
}

Finding shared_memory_finding(int ranks_here) {
  struct statvfs info = {};
  if (::statvfs("/dev/shm", &info) != 0) {
    return {Severity::kWarning, "memory", "/dev/shm: there is none",
            "MPI and NCCL talk by it within a host; mount a tmpfs there"};
  }
  const double free = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize);
  const std::string text = fmt::format("/dev/shm: {:.2f} GB free", free / kGigabyte);
  return free < 32e6 * ranks_here
             ? Finding{Severity::kWarning, "memory", text,
                       "too little for MPI and NCCL within a host; in a container give --shm-size "
                       "1g or more"}
             : Finding{Severity::kOk, "memory", text, ""};
}

std::string limit_text(rlim_t value) {
  return value == RLIM_INFINITY ? "unlimited" : std::to_string(value);
}

Finding limit_finding(bool has_fabric) {
  rlimit files = {};
  rlimit locked = {};
  getrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_MEMLOCK, &locked);
  const std::string text = "ulimit: " + limit_text(files.rlim_cur) + " open files, " +
                           limit_text(locked.rlim_cur) + " bytes of locked memory";
  if (files.rlim_cur < 1024) {
    return {Severity::kWarning, "limits", text,
            "ulimit -n 65536: rank 0 holds a connection to each rank"};
  }
  if (has_fabric && locked.rlim_cur != RLIM_INFINITY) {
    return {Severity::kWarning, "limits", text,
            "ulimit -l unlimited: InfiniBand registers memory by locking it"};
  }
  return {Severity::kOk, "limits", text, ""};
}

Finding gpu_finding(const config::Options& options) {
  const std::string driver = first_line("/proc/driver/nvidia/version");
  const std::size_t gpus = names_in("/proc/driver/nvidia/gpus").size();
  std::string text = driver.empty() ? "no NVIDIA driver" : fmt::format("{} GPUs; {}", gpus, driver);
  try {
    require_usable_gpu();
    text += "; usable by this build";
  } catch (const Error& error) {
    text += std::string("; CUDA cannot be used: ") + error.what();
    if (options.cluster.device == "cuda") {
      return {Severity::kBroken, "GPU", text, "use --device cpu, or see docs/kernels.md",
              ExitCode::kUsage};
    }
    return {Severity::kNote, "GPU", text,
            gpus > 0 ? "build with the preset cuda to use the GPUs" : ""};
  }
  return {Severity::kOk, "GPU", text, "`nvidia-smi topo -m` shows NVLink and peer access"};
}

Finding fabric_finding(const std::vector<std::string>& devices) {
  return {Severity::kNote, "fabric",
          devices.empty() ? "no InfiniBand or RoCE device; hosts talk by TCP"
                          : "InfiniBand or RoCE: " + config::joined(devices),
          ""};
}

}  // namespace

Findings machine_findings(const config::Options& options, int ranks_here) {
  const std::vector<std::string> fabric = names_in("/sys/class/infiniband");
  Findings findings = {
      core_finding(ranks_here),       memory_finding(),     shared_memory_finding(ranks_here),
      limit_finding(!fabric.empty()), gpu_finding(options), fabric_finding(fabric)};
  const std::size_t gpus = names_in("/proc/driver/nvidia/gpus").size();
  if (gpus > 0 && static_cast<std::size_t>(ranks_here) > gpus) {
    findings.push_back({Severity::kWarning, "GPU",
                        fmt::format("{} ranks on {} for {} GPUs", ranks_here, host_name(), gpus),
                        "with --device cuda each rank needs a GPU of its own"});
  }
  return findings;
}

}  // namespace rallrec::pipeline
