#include "pipeline/run_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include "core/error.h"
#include "core/host_name.h"
#include "io/files.h"

namespace rallrec::pipeline {
namespace {

struct Owner {
  std::string host;
  std::int64_t process = 0;
  // Start time of the process in kernel ticks: a number that was given to another process since
  // does not pass for the owner.
  std::string started;
  std::string job;
  // How often Slurm has requeued the job.
  std::int64_t restarts = 0;
};

// The locks that this process holds, an experiment's, its store's and that of its present run: what
// a signal handler can reach. Empty where there is none.
constexpr std::size_t kMostLocks = 3;
char held_locks[kMostLocks][4096] = {};

// Notes a lock in a free place, or gives up the place of one. Where none is free a signal leaves
// the lock behind, to be taken over.
void note_lock(const std::string& path) {
  for (char(&place)[4096] : held_locks) {
    if (place[0] == '\0' && path.size() < sizeof place) {
      std::strcpy(place, path.c_str());
      return;
    }
  }
}

void forget_lock(const std::string& path) {
  for (char(&place)[4096] : held_locks) {
    if (path == place) {
      place[0] = '\0';
    }
  }
}

// Field 22 of /proc/<pid>/stat, or "" where the process has ended (one that waits to be reaped by
// its parent, state Z, has). The command's name in field 2 may hold anything, so counting begins
// after its closing parenthesis.
std::string start_time(std::int64_t process) {
  const std::string path = "/proc/" + std::to_string(process) + "/stat";
  if (!io::file_exists(path)) {
    return "";
  }
  std::string text;
  try {
    text = io::read_file(path);
  } catch (const Error&) {
    return "";
  }
  const std::size_t name_end = text.rfind(')');
  std::istringstream words(name_end == std::string::npos ? "" : text.substr(name_end + 1));
  std::string word;
  for (int field = 3; field <= 22 && words >> word; ++field) {
    if (field == 3 && word == "Z") {
      return "";
    }
  }
  return word;
}

Owner this_owner() {
  Owner owner{host_name(), getpid(), start_time(getpid()), ""};
  if (const char* job = std::getenv("SLURM_JOB_ID")) {
    owner.job = job;
  }
  if (const char* restarts = std::getenv("SLURM_RESTART_COUNT")) {
    owner.restarts = std::strtoll(restarts, nullptr, 10);
  }
  return owner;
}

// Nothing where the lock is gone or not (yet) readable.
std::optional<Owner> read_owner(const std::string& path) {
  try {
    const auto json = nlohmann::json::parse(io::read_file(path));
    return Owner{json.at("host").get<std::string>(), json.at("process").get<std::int64_t>(),
                 json.at("started").get<std::string>(), json.at("job").get<std::string>(),
                 json.value("restarts", std::int64_t{0})};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Slurm starts a job again only when its earlier processes are gone, wherever they ran.
bool is_earlier_life(const Owner& owner) {
  const Owner mine = this_owner();
  return !owner.job.empty() && owner.job == mine.job && owner.restarts < mine.restarts;
}

bool is_dead(const Owner& owner) {
  if (is_earlier_life(owner)) {
    return true;
  }
  if (owner.host != host_name()) {
    return false;
  }
  if (kill(static_cast<pid_t>(owner.process), 0) != 0 && errno == ESRCH) {
    return true;
  }
  return start_time(owner.process) != owner.started;
}

// Whether the owner ends within a few seconds: the ranks of a job that was killed may outlive its
// launcher by that much.
bool ends_soon(const Owner& owner) {
  constexpr int kPauses = 50;
  for (int pause = 0; pause < kPauses && owner.host == host_name(); ++pause) {
    if (is_dead(owner)) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return is_dead(owner);
}

// Writes this process's name into a new file. False where the file exists already.
bool write_owner(const std::string& path) {
  const int descriptor = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    if (errno == EEXIST) {
      return false;
    }
    throw_io(path, "creating the lock", errno);
  }
  const Owner owner = this_owner();
  const std::string text = nlohmann::json{{"host", owner.host},
                                          {"process", owner.process},
                                          {"started", owner.started},
                                          {"job", owner.job},
                                          {"restarts", owner.restarts}}
                               .dump() +
                           "\n";
  const bool written =
      write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fsync(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  if (!written) {
    unlink(path.c_str());
    throw_io(path, "writing the lock", error);
  }
  return true;
}

// The lock gets its name when its owner is in it: a process that is killed on the way leaves none
// that nobody could take over. False where there is a lock already.
bool create(const std::string& path) {
  const std::string fresh = path + "." + host_name() + "." + std::to_string(getpid());
  unlink(fresh.c_str());
  write_owner(fresh);
  const int error = link(fresh.c_str(), path.c_str()) == 0 ? 0 : errno;
  unlink(fresh.c_str());
  if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS) {
    return write_owner(path);  // a file system without hard links
  }
  if (error != 0 && error != EEXIST) {
    throw_io(path, "creating the lock", error);
  }
  return error == 0;
}

[[noreturn]] void refuse(const std::string& path, const std::optional<Owner>& owner) {
  if (!owner) {
    throw_usage(path + ": another run holds this folder; remove the file if none is active");
  }
  throw_usage(path + ": process " + std::to_string(owner->process) + " on host " + owner->host +
              (owner->job.empty() ? "" : " (job " + owner->job + ")") +
              " is using this run folder; wait for it, choose another, or remove the file "
              "if that process has ended");
}

void take_over(const std::string& path) {
  const std::optional<Owner> owner = read_owner(path);
  if (!owner || !ends_soon(*owner)) {
    refuse(path, owner);
  }
  spdlog::warn("{}: taking over from process {}, which has ended", path, owner->process);
  const std::string aside = path + ".dead." + std::to_string(getpid());
  if (std::rename(path.c_str(), aside.c_str()) != 0) {
    refuse(path, read_owner(path));
  }
  // Another starter may have seen the same dead lock and been faster: then its lock was moved.
  const std::optional<Owner> moved = read_owner(aside);
  const bool was_dead =
      moved && moved->process == owner->process && moved->started == owner->started;
  if (!was_dead) {
    std::rename(aside.c_str(), path.c_str());
    refuse(path, moved);
  }
  unlink(aside.c_str());
  if (!create(path)) {
    refuse(path, read_owner(path));
  }
}

}  // namespace

RunLock::RunLock(const std::string& run_dir) : path_(run_dir + "/run.lock") {
  if (!create(path_)) {
    take_over(path_);
  }
  note_lock(path_);
}

RunLock::~RunLock() {
  forget_lock(path_);
  unlink(path_.c_str());
}

void remove_held_locks() noexcept {
  for (const char(&place)[4096] : held_locks) {
    if (place[0] != '\0') {
      unlink(place);
    }
  }
}

}  // namespace rallrec::pipeline
