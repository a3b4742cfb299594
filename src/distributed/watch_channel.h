#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/hang_verdict.h"
#include "distributed/tcp_socket.h"

namespace rallrec::distributed {

// The watchdog's own channel, over TCP: each rank reports to the observers, an observer answers
// each report, tells its verdict, and says good-bye. Who does not know the job's token is turned
// away. A message is a letter and what follows it.
inline constexpr char kReportMessage = 'r';
inline constexpr char kHeardMessage = 'k';
inline constexpr char kVerdictMessage = 'v';
inline constexpr char kWrittenMessage = 'd';  // the rank has written its flight record
inline constexpr char kByeMessage = 'b';

// Numeric addresses by which other hosts may reach this one, the likeliest first.
std::vector<std::string> own_addresses();

// An observer's side. Used by one thread; no call waits for longer than a fraction of a second.
class WatchHub {
 public:
  // Listens on all addresses of the host, at a port that the system chooses. Throws Error (I/O).
  WatchHub(std::string token, std::size_t ranks);

  int port() const { return listener_.port(); }
  // Lets new ranks in, and takes in what all have sent.
  void serve(std::vector<RankView>& ranks, WatchClock::time_point now);
  void tell_all(const std::string& message);
  // Whether each rank that is connected has written its flight record.
  bool all_written() const;

 private:
  struct Guest {
    TcpSocket socket;
    bool written = false;
  };

  void admit();
  bool take(std::size_t rank, RankView& view, WatchClock::time_point now);

  std::string token_;
  TcpSocket listener_;
  std::vector<Guest> guests_;
};

// A rank's side of its connection with one observer, which is made again where it breaks off, or
// where whoever listens at the address does not answer.
class WatchLink {
 public:
  WatchLink(std::vector<std::string> addresses, int port, std::string token, int rank)
      : addresses_(std::move(addresses)), port_(port), token_(std::move(token)), rank_(rank) {}

  // Whether it was handed over; connects first where there is no connection. Waits for no answer:
  // the observer may be about to connect to this rank.
  bool send(const std::string& message);
  // What the observer has sent, if anything.
  std::optional<std::string> receive();

 private:
  void connect();

  std::vector<std::string> addresses_;
  int port_;
  std::string token_;
  int rank_;
  std::size_t next_address_ = 0;
  TcpSocket socket_;
  bool answered_ = false;  // by the observer, so it is no other program that listens there
  WatchClock::time_point connected_{};
};

}  // namespace rallrec::distributed
