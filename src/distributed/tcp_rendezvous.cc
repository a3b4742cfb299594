// Rank 0 collects a greeting from each rank and answers all of them with all texts.
//
//   greeting   "rallrec rendezvous 1\n" TOKEN "\n" RANK " " SIZE "\n" TEXT
//   answer     "all\n" LENGTH " " LENGTH … "\n" TEXT TEXT …      or      "no\n" why
#include <algorithm>
#include <sstream>
#include <thread>

#include "core/error.h"
#include "distributed/peer_lost.h"
#include "distributed/rendezvous.h"
#include "distributed/tcp_socket.h"

namespace rallrec::distributed {
namespace {

using Clock = TcpSocket::Clock;
using std::chrono::milliseconds;

constexpr char kProtocol[] = "rallrec rendezvous 1";
constexpr std::size_t kMostGreeting = 64 << 10;
constexpr std::size_t kMostAnswer = 64 << 20;
// A stranger who connects and says nothing holds the others up no longer than this.
constexpr milliseconds kGreetingTime{2000};
constexpr milliseconds kBetweenTries{50};

struct Greeting {
  std::string protocol;
  std::string token;
  int rank = -1;
  int size = -1;
  std::string text;
};

std::string compose(const Meeting& meeting, const std::string& text) {
  return std::string(kProtocol) + "\n" + meeting.token + "\n" + std::to_string(meeting.rank) + " " +
         std::to_string(meeting.size) + "\n" + text;
}

Greeting take_apart(const std::string& message) {
  Greeting greeting;
  std::istringstream stream(message);
  std::getline(stream, greeting.protocol);
  std::getline(stream, greeting.token);
  stream >> greeting.rank >> greeting.size;
  if (stream && stream.get() == '\n') {
    greeting.text = message.substr(static_cast<std::size_t>(stream.tellg()));
  } else {
    greeting.rank = -1;
  }
  return greeting;
}

// Takes as long whatever the first difference is.
bool equal_secrets(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

std::string join(const std::vector<std::string>& texts) {
  std::string lengths;
  std::string all;
  for (const std::string& text : texts) {
    lengths += (lengths.empty() ? "" : " ") + std::to_string(text.size());
    all += text;
  }
  return "all\n" + lengths + "\n" + all;
}

std::vector<std::string> split(const std::string& answer, int size) {
  const std::size_t start = answer.find('\n') + 1;
  const std::size_t end = answer.find('\n', start);
  std::vector<std::string> texts;
  if (answer.rfind("all\n", 0) != 0 || end == std::string::npos) {
    return texts;
  }
  std::istringstream lengths(answer.substr(start, end - start));
  std::size_t offset = end + 1;
  for (std::size_t length = 0; lengths >> length && length <= answer.size() - offset;) {
    texts.push_back(answer.substr(offset, length));
    offset += length;
  }
  return texts.size() == static_cast<std::size_t>(size) ? texts : std::vector<std::string>();
}

class TcpRendezvous : public Rendezvous {
 public:
  TcpRendezvous(std::string host, int port, Meeting meeting)
      : host_(std::move(host)), port_(port), meeting_(std::move(meeting)) {}

  int rank() const override { return meeting_.rank; }
  int size() const override { return meeting_.size; }
  std::vector<std::string> exchange(const std::string& mine) override {
    deadline_ = Clock::now() + meeting_.timeout;
    return meeting_.rank == 0 ? collect(mine) : ask(mine);
  }

 private:
  struct Guest {
    TcpSocket socket;
    bool here = false;
  };

  std::string place() const { return host_ + ":" + std::to_string(port_); }
  std::vector<std::string> collect(const std::string& mine);
  int admit(const TcpSocket& socket, const std::vector<Guest>& guests, std::string& text) const;
  std::vector<std::string> ask(const std::string& mine);
  bool greet(const std::string& greeting, std::string& answer) const;
  [[noreturn]] void throw_absent(const std::vector<Guest>& guests, int come) const;

  std::string host_;
  int port_;
  Meeting meeting_;
  Clock::time_point deadline_;
};

void TcpRendezvous::throw_absent(const std::vector<Guest>& guests, int come) const {
  std::string absent;
  for (std::size_t rank = 1; rank < guests.size(); ++rank) {
    absent += guests[rank].here ? "" : " " + std::to_string(rank);
  }
  throw PeerLost(place() + ": only " + std::to_string(come) + " of " +
                 std::to_string(meeting_.size) + " ranks came in time; absent:" + absent +
                 "; can they reach this address, and have they the same RALLREC_NCCL_TOKEN?");
}

// The rank that `socket` is let in as, or -1 where it is turned away.
int TcpRendezvous::admit(const TcpSocket& socket, const std::vector<Guest>& guests,
                         std::string& text) const {
  const Clock::time_point soon = std::min(deadline_, Clock::now() + kGreetingTime);
  std::string message;
  if (!socket.receive(message, kMostGreeting, soon)) {
    return -1;
  }
  Greeting greeting = take_apart(message);
  if (greeting.protocol != kProtocol || !equal_secrets(greeting.token, meeting_.token)) {
    socket.send("no\nthe token is not this job's", soon);
    return -1;
  }
  if (greeting.size != meeting_.size || greeting.rank < 1 || greeting.rank >= meeting_.size ||
      guests[static_cast<std::size_t>(greeting.rank)].here) {
    socket.send("no\nrank " + std::to_string(greeting.rank) + " of " +
                    std::to_string(greeting.size) + " is not expected, or has come already",
                soon);
    return -1;
  }
  text = std::move(greeting.text);
  return greeting.rank;
}

std::vector<std::string> TcpRendezvous::collect(const std::string& mine) {
  const TcpSocket listener = TcpSocket::listen(host_, port_);
  std::vector<Guest> guests(static_cast<std::size_t>(meeting_.size));
  std::vector<std::string> texts(guests.size());
  texts[0] = mine;
  for (int come = 1; come < meeting_.size;) {
    TcpSocket socket = listener.accept(deadline_);
    if (!socket.valid()) {
      throw_absent(guests, come);
    }
    std::string text;
    if (const int rank = admit(socket, guests, text); rank > 0) {
      const auto index = static_cast<std::size_t>(rank);
      guests[index] = {std::move(socket), true};
      texts[index] = std::move(text);
      ++come;
    }
  }
  for (std::size_t rank = 1; rank < guests.size(); ++rank) {
    if (!guests[rank].socket.send(join(texts), deadline_)) {
      throw PeerLost(place() + ": rank " + std::to_string(rank) + " went away");
    }
  }
  return texts;
}

// False where nobody is there yet, or the connection broke off before the answer.
bool TcpRendezvous::greet(const std::string& greeting, std::string& answer) const {
  const TcpSocket socket = TcpSocket::connect(host_, port_, deadline_);
  return socket.valid() && socket.send(greeting, deadline_) &&
         socket.receive(answer, kMostAnswer, deadline_);
}

std::vector<std::string> TcpRendezvous::ask(const std::string& mine) {
  std::string answer;
  while (!greet(compose(meeting_, mine), answer)) {
    if (Clock::now() + kBetweenTries > deadline_) {
      throw PeerLost(place() + ": rank " + std::to_string(meeting_.rank) +
                     " got no answer from rank 0 in time: does it run, is this an address of its "
                     "host, and have all other ranks come?");
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
  if (answer.rfind("no\n", 0) == 0) {
    throw_usage(place() + " turned rank " + std::to_string(meeting_.rank) +
                " away: " + answer.substr(3) + " (cluster.nccl_init, RALLREC_NCCL_TOKEN)");
  }
  std::vector<std::string> texts = split(answer, meeting_.size);
  if (texts.empty()) {
    throw PeerLost(place() + ": what answers there is not rank 0 of this job");
  }
  return texts;
}

}  // namespace

std::unique_ptr<Rendezvous> make_tcp_rendezvous(const std::string& host, int port,
                                                const Meeting& meeting) {
  return std::make_unique<TcpRendezvous>(host, port, meeting);
}

}  // namespace rallrec::distributed
