#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "distributed/launch_environment.h"

namespace rallrec::distributed {

// Where the ranks of a job meet before they have a communicator of their own: each brings one short
// text and gets everybody's.
class Rendezvous {
 public:
  virtual ~Rendezvous() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // Every rank's text in rank order. Blocks the host until all have come; throws Error (kPeerLost)
  // that says how many came and what to look at where they do not within the time. Once.
  virtual std::vector<std::string> exchange(const std::string& mine) = 0;
};

// What a rank of a job without a communicator must know.
struct Meeting {
  int rank = 0;
  int size = 1;
  // The job's secret, the same on all its ranks and on no other job's: at least 8 characters, no
  // white space. Who knows it can take part; without it nobody is let in. The network is trusted
  // not to be listened to (SECURITY.md).
  std::string token;
  std::chrono::milliseconds timeout{std::chrono::minutes(5)};
};

// Rank and size of `communicator`, and the token in RALLREC_NCCL_TOKEN (empty where it is not set).
Meeting meeting_of(const Communicator& communicator, const Lookup& lookup);

// Over another communicator of the same ranks, which outlives the object and is not used meanwhile.
std::unique_ptr<Rendezvous> make_rendezvous(Communicator& communicator);

// Over files PATH.rank<k> in a folder that all ranks see, mode 0600, each written under a temporary
// name and renamed. Files with another token are another job's: they are not read, and named where
// the time runs out. When all ranks have read all files, rank 0 removes them.
std::unique_ptr<Rendezvous> make_file_rendezvous(const std::string& path, const Meeting& meeting);

// Over TCP: rank 0 listens on that address and port, the others connect to it, and try again until
// it is there. A connection with another token, or not of this protocol, is turned away and
// changes nothing.
std::unique_ptr<Rendezvous> make_tcp_rendezvous(const std::string& host, int port,
                                                const Meeting& meeting);

// The setting cluster.nccl_init: "mpi" (over `communicator`), "file:PATH" or "tcp:HOST:PORT" (with
// `meeting`). Throws Error (usage) for anything else, and for a token that is too short.
std::unique_ptr<Rendezvous> make_rendezvous(const std::string& setting, Communicator& communicator,
                                            const Meeting& meeting);

}  // namespace rallrec::distributed
