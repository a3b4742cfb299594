// PATH.rank<k> holds "TOKEN\n" and rank k's text; PATH.read<k> says, in the same way, that rank k
// has read them all.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "core/error.h"
#include "distributed/peer_lost.h"
#include "distributed/rendezvous.h"

namespace rallrec::distributed {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenLooks{20};

// A network file system shows another host's new file by its rename at the earliest.
void write_private(const std::string& path, const std::string& content) {
  const std::string temporary = path + ".tmp." + std::to_string(getpid());
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) {
    throw_io(temporary, "create", errno);
  }
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t written = ::write(file, content.data() + done, content.size() - done);
    if (written < 0 && errno != EINTR) {
      const int error = errno;
      ::close(file);
      ::unlink(temporary.c_str());
      throw_io(temporary, "write", error);
    }
    done += written > 0 ? static_cast<std::size_t>(written) : 0;
  }
  const bool synced = ::fsync(file) == 0;
  if (::close(file) != 0 || !synced || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw_io(path, "write", error);
  }
}

enum class Found { kNothing, kAnotherJobs, kThisJobs };

Found read_private(const std::string& path, const std::string& token, std::string& text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Found::kNothing;
  }
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string head = token + "\n";
  if (content.rfind(head, 0) != 0) {
    return Found::kAnotherJobs;
  }
  text = content.substr(head.size());
  return Found::kThisJobs;
}

class FileRendezvous : public Rendezvous {
 public:
  FileRendezvous(std::string path, Meeting meeting)
      : path_(std::move(path)), meeting_(std::move(meeting)) {}
  ~FileRendezvous() override {
    // Where the meeting failed: what this rank wrote shall not lie about.
    if (!met_) {
      remove(meeting_.rank);
    }
  }

  int rank() const override { return meeting_.rank; }
  int size() const override { return meeting_.size; }
  std::vector<std::string> exchange(const std::string& mine) override;

 private:
  std::string text_file(int rank) const { return path_ + ".rank" + std::to_string(rank); }
  std::string read_file(int rank) const { return path_ + ".read" + std::to_string(rank); }
  void remove(int rank) const {
    ::unlink(text_file(rank).c_str());
    ::unlink(read_file(rank).c_str());
  }
  std::string wait_for(const std::string& path) const;

  std::string path_;
  Meeting meeting_;
  Clock::time_point deadline_;
  bool met_ = false;
};

std::string FileRendezvous::wait_for(const std::string& path) const {
  for (;;) {
    std::string text;
    const Found found = read_private(path, meeting_.token, text);
    if (found == Found::kThisJobs) {
      return text;
    }
    if (Clock::now() > deadline_) {
      throw PeerLost(path + (found == Found::kNothing
                                 ? ": did not appear in time; does that rank run, and does it see "
                                   "the same folder?"
                                 : ": was left by a job with another token, and this job's did "
                                   "not appear in time; remove it, or give cluster.nccl_init a "
                                   "path of the job's own"));
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

std::vector<std::string> FileRendezvous::exchange(const std::string& mine) {
  deadline_ = Clock::now() + meeting_.timeout;
  write_private(text_file(meeting_.rank), meeting_.token + "\n" + mine);
  std::vector<std::string> texts;
  for (int rank = 0; rank < meeting_.size; ++rank) {
    texts.push_back(wait_for(text_file(rank)));
  }
  if (meeting_.rank > 0) {
    write_private(read_file(meeting_.rank), meeting_.token + "\n");
    met_ = true;
    return texts;
  }
  for (int rank = 1; rank < meeting_.size; ++rank) {
    wait_for(read_file(rank));
  }
  for (int rank = 0; rank < meeting_.size; ++rank) {
    remove(rank);
  }
  met_ = true;
  return texts;
}

}  // namespace

std::unique_ptr<Rendezvous> make_file_rendezvous(const std::string& path, const Meeting& meeting) {
  return std::make_unique<FileRendezvous>(path, meeting);
}

}  // namespace rallrec::distributed
