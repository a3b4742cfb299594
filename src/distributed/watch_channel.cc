#include "distributed/watch_channel.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <type_traits>

#include "core/error.h"

namespace rallrec::distributed {
namespace {

using std::chrono::milliseconds;

static_assert(std::is_trivially_copyable_v<RankReport>);
constexpr std::size_t kMostBytes = 64 << 10;
// A message comes in one piece. Whoever stops in the middle of one holds the others up so long.
constexpr milliseconds kPatience{300};
constexpr milliseconds kConnectTime{1000};
constexpr milliseconds kAnswerTime{5000};
constexpr char kProtocol[] = "rallrec watchdog 1 ";

TcpSocket listen_anywhere() {
  try {
    return TcpSocket::listen("::", 0);  // IPv4 too, unless the host is set up otherwise
  } catch (const Error&) {
    return TcpSocket::listen("0.0.0.0", 0);
  }
}

bool is_link_local(const sockaddr& address) {
  return address.sa_family == AF_INET6 &&
         IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

std::string numeric(const sockaddr& address) {
  char text[NI_MAXHOST];
  const socklen_t length =
      address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return getnameinfo(&address, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 ? text
                                                                                           : "";
}

// The rank that a greeting names, or -1 where it is none of this job's.
int rank_in(const std::string& greeting, const std::string& token) {
  const std::string head = kProtocol + token + " ";
  int rank = -1;
  if (greeting.rfind(head, 0) == 0) {
    std::from_chars(greeting.data() + head.size(), greeting.data() + greeting.size(), rank);
  }
  return rank;
}

}  // namespace

std::vector<std::string> own_addresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) {
    return {};
  }
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::vector<std::string> v4;
  std::vector<std::string> v6;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const bool up = (entry->ifa_flags & IFF_UP) != 0 && (entry->ifa_flags & IFF_LOOPBACK) == 0;
    if (!up || entry->ifa_addr == nullptr || is_link_local(*entry->ifa_addr)) {
      continue;
    }
    if (entry->ifa_addr->sa_family == AF_INET) {
      v4.push_back(numeric(*entry->ifa_addr));
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      v6.push_back(numeric(*entry->ifa_addr));
    }
  }
  v4.insert(v4.end(), v6.begin(), v6.end());
  return v4;
}

WatchHub::WatchHub(std::string token, std::size_t ranks)
    : token_(std::move(token)), listener_(listen_anywhere()), guests_(ranks) {}

void WatchHub::admit() {
  while (listener_.readable()) {
    TcpSocket socket = listener_.accept(WatchClock::now() + kPatience);
    std::string greeting;
    if (!socket.valid() || !socket.receive(greeting, kMostBytes, WatchClock::now() + kPatience)) {
      continue;
    }
    const int rank = rank_in(greeting, token_);
    if (rank >= 0 && static_cast<std::size_t>(rank) < guests_.size() &&
        socket.send(std::string(1, kHeardMessage), WatchClock::now() + kPatience)) {
      guests_[static_cast<std::size_t>(rank)].socket = std::move(socket);
    }
  }
}

// One message of the rank; false where its connection has broken off.
bool WatchHub::take(std::size_t rank, RankView& view, WatchClock::time_point now) {
  Guest& guest = guests_[rank];
  std::string message;
  if (!guest.socket.receive(message, kMostBytes, WatchClock::now() + kPatience) ||
      message.empty()) {
    return false;
  }
  if (message[0] == kReportMessage && message.size() == 1 + sizeof(RankReport)) {
    RankReport report;
    std::memcpy(&report, message.data() + 1, sizeof(report));
    view.take(report, now);
    return guest.socket.send(std::string(1, kHeardMessage), WatchClock::now() + kPatience);
  }
  guest.written = guest.written || message[0] == kWrittenMessage;
  view.ended = view.ended || message[0] == kByeMessage;
  return true;
}

void WatchHub::serve(std::vector<RankView>& ranks, WatchClock::time_point now) {
  admit();
  for (std::size_t rank = 0; rank < guests_.size(); ++rank) {
    TcpSocket& socket = guests_[rank].socket;
    while (socket.valid() && socket.readable()) {
      if (!take(rank, ranks[rank], now)) {
        socket = TcpSocket();
        ranks[rank].connected = false;
      }
    }
  }
}

void WatchHub::tell_all(const std::string& message) {
  for (Guest& guest : guests_) {
    if (guest.socket.valid()) {
      guest.socket.send(message, WatchClock::now() + kPatience);
    }
  }
}

bool WatchHub::all_written() const {
  return std::all_of(guests_.begin(), guests_.end(),
                     [](const Guest& guest) { return !guest.socket.valid() || guest.written; });
}

void WatchLink::connect() {
  const std::string& address = addresses_[next_address_++ % addresses_.size()];
  const WatchClock::time_point deadline = WatchClock::now() + kConnectTime;
  try {
    TcpSocket socket = TcpSocket::connect(address, port_, deadline);
    if (socket.valid() && socket.send(kProtocol + token_ + " " + std::to_string(rank_), deadline)) {
      socket_ = std::move(socket);
      answered_ = false;
      connected_ = WatchClock::now();
    }
  } catch (const Error&) {
    // An address that this host cannot use: the next one may do.
  }
}

bool WatchLink::send(const std::string& message) {
  if (!answered_ && WatchClock::now() - connected_ > kAnswerTime) {
    socket_ = TcpSocket();
  }
  if (!socket_.valid() && !addresses_.empty()) {
    connect();
  }
  if (socket_.valid() && socket_.send(message, WatchClock::now() + kPatience)) {
    return true;
  }
  socket_ = TcpSocket();
  return false;
}

std::optional<std::string> WatchLink::receive() {
  std::string message;
  if (!socket_.valid() || !socket_.readable()) {
    return std::nullopt;
  }
  if (!socket_.receive(message, kMostBytes, WatchClock::now() + kPatience) || message.empty()) {
    socket_ = TcpSocket();
    return std::nullopt;
  }
  answered_ = true;
  return message;
}

}  // namespace rallrec::distributed
