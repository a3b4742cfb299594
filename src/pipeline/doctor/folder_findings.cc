#include "pipeline/doctor/folder_findings.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/host_name.h"
#include "core/stopwatch.h"
#include "io/atomic_file.h"
#include "io/files.h"

namespace rallrec::pipeline {
namespace {

constexpr const char* kTopic = "run folder";
constexpr int kSyncs = 20;
constexpr int kRenames = 200;
// Of each of the two, on a busy disk.
constexpr double kPatience = 2.0;
constexpr double kSlowSync = 0.2;
constexpr double kLittleSpace = 2e9;

// The magic numbers of statfs(2).
std::string kind_of(const std::string& folder) {
  struct statfs info = {};
  if (::statfs(folder.c_str(), &info) != 0) {
    return "unknown";
  }
  switch (static_cast<std::uint32_t>(info.f_type)) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x794C7630:
      return "overlay";
    case 0x6969:
      return "NFS";
    case 0x0BD00BD0:
      return "Lustre";
    case 0x47504653:
      return "GPFS";
    case 0x00C36400:
      return "CephFS";
    case 0x19830326:
      return "BeeGFS";
    case 0x65735546:
      return "FUSE";
    default:
      return fmt::format("type {:#x}", static_cast<std::uint32_t>(info.f_type));
  }
}

Finding space_finding(const std::string& folder) {
  struct statvfs info = {};
  if (::statvfs(folder.c_str(), &info) != 0) {
    return {Severity::kBroken, kTopic, folder + ": cannot be asked for its free space", "",
            ExitCode::kIo};
  }
  const double free = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize);
  const std::string text =
      fmt::format("{}: {}, {:.1f} GB free", folder, kind_of(folder), free * 1e-9);
  return free < kLittleSpace
             ? Finding{Severity::kWarning, kTopic, text,
                       "a run of an 8B model needs some GB for checkpoints, embeddings and prompts"}
             : Finding{Severity::kOk, kTopic, text, ""};
}

Finding sync_finding(const std::string& folder) {
  const std::string path = folder + "/.doctor-sync." + std::to_string(getpid());
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  const std::string block(4096, 'x');
  std::vector<double> seconds;
  bool good = file >= 0;
  const Stopwatch all;
  for (int i = 0; good && i < kSyncs && all.seconds() < kPatience; ++i) {
    const Stopwatch watch;
    good = ::write(file, block.data(), block.size()) == static_cast<ssize_t>(block.size()) &&
           ::fsync(file) == 0;
    seconds.push_back(watch.seconds());
  }
  if (file >= 0) {
    ::close(file);
    ::unlink(path.c_str());
  }
  if (!good) {
    return {Severity::kBroken, kTopic, folder + ": a file cannot be written and synced there",
            "check its permissions and quota, or choose another --run-dir", ExitCode::kIo};
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  const std::string text =
      fmt::format("fsync of 4 KiB takes {:.2f} ms (median of {}), {:.2f} ms at most", median * 1e3,
                  seconds.size(), seconds.back() * 1e3);
  return median > kSlowSync
             ? Finding{Severity::kWarning, kTopic, text,
                       "a checkpoint syncs about ten times; a larger tune.checkpoint_every helps"}
             : Finding{Severity::kOk, kTopic, text, ""};
}

Finding rename_finding(const std::string& folder) {
  const std::string path = folder + "/.doctor-rename." + std::to_string(getpid());
  std::atomic<bool> stop{false};
  std::atomic<int> looks{0};
  std::atomic<int> missed{0};
  int failed = 0;
  int renames = 0;
  {
    std::ofstream(path) << 0;
    std::thread reader([&] {
      while (!stop) {
        int number = -1;
        missed += std::ifstream(path) >> number ? 0 : 1;
        ++looks;
      }
    });
    for (const Stopwatch watch; renames < kRenames && watch.seconds() < kPatience; ++renames) {
      std::ofstream(path + ".new") << renames;
      failed += std::rename((path + ".new").c_str(), path.c_str()) == 0 ? 0 : 1;
    }
    stop = true;
    reader.join();
  }
  std::remove(path.c_str());
  if (failed > 0 || missed > 0) {
    return {
        Severity::kBroken, kTopic,
        fmt::format("rename is not atomic: {} of {} renames failed, {} of {} looks found no whole "
                    "file",
                    failed, renames, missed.load(), looks.load()),
        "checkpoints and results are published by rename; use another file system for the run "
        "folder",
        ExitCode::kIo};
  }
  return {Severity::kOk, kTopic,
          fmt::format("rename is atomic: {} renames, {} looks", renames, looks.load()), ""};
}

}  // namespace

Findings wanted_folder_findings(const std::string& wanted, const std::string& looked_at) {
  std::error_code ignored;
  if (wanted.empty() || std::filesystem::is_directory(wanted, ignored)) {
    return {};
  }
  if (std::filesystem::exists(wanted, ignored)) {
    return {{Severity::kBroken, kTopic, wanted + ": no folder, but something else of this name",
             "choose another --run-dir", ExitCode::kIo}};
  }
  return {{Severity::kNote, kTopic, wanted + ": not there yet; looked at " + looked_at, ""}};
}

Findings folder_findings(const std::string& folder) {
  Findings findings = {space_finding(folder), sync_finding(folder)};
  if (findings.back().severity != Severity::kBroken) {
    findings.push_back(rename_finding(folder));
  }
  return findings;
}

Findings shared_folder_findings(const std::string& folder,
                                distributed::Communicator& communicator) {
  const std::string mark =
      distributed::broadcast_string(communicator, host_name() + " " + std::to_string(getpid()), 0);
  const std::string path = folder + "/.doctor-shared";
  bool written = true;
  if (communicator.rank() == 0) {
    std::ofstream file(path);
    written = static_cast<bool>(file << mark << std::flush);
  }
  communicator.barrier();
  std::int32_t seen = 0;
  // A network file system may show a new file late.
  for (const Stopwatch watch; seen == 0 && watch.seconds() < 5.0;) {
    std::string found;
    std::ifstream file(path);
    std::getline(file, found);
    seen = found == mark ? 1 : 0;
    if (seen == 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  std::vector<std::int32_t> all(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&seen, all.data(), 1, distributed::DType::kInt32);
  if (communicator.rank() != 0 || !written) {
    return {};
  }
  std::remove(path.c_str());
  std::string blind;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank] == 0) {
      blind.append(blind.empty() ? "" : ", ").append(std::to_string(rank));
    }
  }
  if (blind.empty()) {
    return {{Severity::kOk, kTopic, "all ranks see what rank 0 writes there", ""}};
  }
  return {{Severity::kBroken, kTopic, "these ranks do not see what rank 0 writes there: " + blind,
           "the run folder, model and data must be on a file system that all hosts share",
           ExitCode::kIo}};
}

}  // namespace rallrec::pipeline
