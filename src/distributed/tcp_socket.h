#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace rallrec::distributed {

// A TCP socket that closes itself. All waits end at a deadline; nothing raises SIGPIPE.
class TcpSocket {
 public:
  using Clock = std::chrono::steady_clock;

  TcpSocket() = default;
  explicit TcpSocket(int descriptor) : descriptor_(descriptor) {}
  ~TcpSocket();
  TcpSocket(TcpSocket&& other) noexcept;
  TcpSocket& operator=(TcpSocket&& other) noexcept;

  // Listens on exactly that address. Throws Error (I/O) that names host and port.
  static TcpSocket listen(const std::string& host, int port);
  // Not valid where nobody listens there yet. Throws Error (I/O) where the host has no address.
  static TcpSocket connect(const std::string& host, int port, Clock::time_point deadline);
  // The next connection; not valid where none comes by the deadline.
  TcpSocket accept(Clock::time_point deadline) const;

  bool valid() const { return descriptor_ >= 0; }
  // Of a listening socket: the port, which the system has chosen where 0 was asked for.
  int port() const;
  // Whether something has come, or the peer has gone away. Does not wait.
  bool readable() const;

  // A length of 4 bytes, then the bytes. False where the peer goes away or is too slow.
  bool send(const std::string& message, Clock::time_point deadline) const;
  // False also where the length is above `most`.
  bool receive(std::string& message, std::size_t most, Clock::time_point deadline) const;

 private:
  bool wait_for(short events, Clock::time_point deadline) const;
  bool send_all(const char* data, std::size_t bytes, Clock::time_point deadline) const;
  bool receive_all(char* data, std::size_t bytes, Clock::time_point deadline) const;

  int descriptor_ = -1;
};

}  // namespace rallrec::distributed
