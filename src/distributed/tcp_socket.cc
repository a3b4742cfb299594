#include "distributed/tcp_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/error.h"

namespace rallrec::distributed {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::string place(const std::string& host, int port) { return host + ":" + std::to_string(port); }

Addresses resolve(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (result != 0) {
    throw Error(ExitCode::kIo, place(host, port) + ": no such address: " + gai_strerror(result));
  }
  return {found, &freeaddrinfo};
}

int open_socket(const addrinfo& address) {
  return socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

}  // namespace

TcpSocket::~TcpSocket() {
  if (valid()) {
    ::close(descriptor_);
  }
}

TcpSocket::TcpSocket(TcpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

TcpSocket& TcpSocket::operator=(TcpSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

TcpSocket TcpSocket::listen(const std::string& host, int port) {
  const Addresses addresses = resolve(host, port);
  TcpSocket socket(open_socket(*addresses));
  const int yes = 1;
  setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (!socket.valid() || bind(socket.descriptor_, addresses->ai_addr, addresses->ai_addrlen) != 0 ||
      ::listen(socket.descriptor_, SOMAXCONN) != 0) {
    throw_io(place(host, port), "listen", errno);
  }
  return socket;
}

TcpSocket TcpSocket::connect(const std::string& host, int port, Clock::time_point deadline) {
  const Addresses addresses = resolve(host, port);
  TcpSocket socket(open_socket(*addresses));
  if (!socket.valid()) {
    throw_io(place(host, port), "connect", errno);
  }
  if (::connect(socket.descriptor_, addresses->ai_addr, addresses->ai_addrlen) != 0 &&
      errno != EINPROGRESS) {
    return {};
  }
  int error = 0;
  socklen_t length = sizeof(error);
  if (!socket.wait_for(POLLOUT, deadline) ||
      getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0) {
    return {};
  }
  return socket;
}

TcpSocket TcpSocket::accept(Clock::time_point deadline) const {
  while (wait_for(POLLIN, deadline)) {
    TcpSocket connection(accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.valid()) {
      return connection;
    }
  }
  return {};
}

int TcpSocket::port() const {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return 0;
  }
  return address.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port)
                                       : ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
}

bool TcpSocket::readable() const {
  pollfd entry{descriptor_, POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

bool TcpSocket::wait_for(short events, Clock::time_point deadline) const {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left < 0) {
      return false;
    }
    pollfd entry{descriptor_, events, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left + 1, 1000)));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return false;
    }
  }
}

bool TcpSocket::send_all(const char* data, std::size_t bytes, Clock::time_point deadline) const {
  while (bytes > 0) {
    const ssize_t sent = ::send(descriptor_, data, bytes, MSG_NOSIGNAL);
    if (sent > 0) {
      data += sent;
      bytes -= static_cast<std::size_t>(sent);
    } else if ((errno != EAGAIN && errno != EINTR) || !wait_for(POLLOUT, deadline)) {
      return false;
    }
  }
  return true;
}

bool TcpSocket::receive_all(char* data, std::size_t bytes, Clock::time_point deadline) const {
  while (bytes > 0) {
    const ssize_t got = ::recv(descriptor_, data, bytes, 0);
    if (got > 0) {
      data += got;
      bytes -= static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(POLLIN, deadline)) {
      return false;
    }
  }
  return true;
}

bool TcpSocket::send(const std::string& message, Clock::time_point deadline) const {
  const auto length = static_cast<std::uint32_t>(message.size());
  std::array<char, 4> header{};
  for (unsigned i = 0; i < 4; ++i) {
    header[i] = static_cast<char>(length >> (8 * i));
  }
  return send_all(header.data(), header.size(), deadline) &&
         send_all(message.data(), message.size(), deadline);
}

bool TcpSocket::receive(std::string& message, std::size_t most, Clock::time_point deadline) const {
  std::array<char, 4> header{};
  if (!receive_all(header.data(), header.size(), deadline)) {
    return false;
  }
  std::uint32_t length = 0;
  for (unsigned i = 0; i < 4; ++i) {
    length |= std::uint32_t{static_cast<unsigned char>(header[i])} << (8 * i);
  }
  if (length > most) {
    return false;
  }
  message.resize(length);
  return receive_all(message.data(), length, deadline);
}

}  // namespace rallrec::distributed
