#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rallrec::io {

// SHA-256 fed piece by piece. Manifests use it.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(const void* bytes, std::size_t count);
  void update(std::string_view bytes) { update(bytes.data(), bytes.size()); }
  // 64 lower-case hexadecimal digits. Ends the hash: nothing may follow.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
// Errors as InputFile's.
std::string sha256_of_file(const std::string& path);

// XXH3, 128 bits: fast, not for adversaries. Fed piece by piece.
class Xxh3 {
 public:
  Xxh3();
  ~Xxh3();
  Xxh3(Xxh3&&) noexcept;
  Xxh3& operator=(Xxh3&&) noexcept;

  void update(const void* bytes, std::size_t count);
  // {low, high} of all bytes so far.
  std::array<std::uint64_t, 2> digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::array<std::uint64_t, 2> xxh3_128(const void* bytes, std::size_t count);
std::uint64_t xxh3_64(const void* bytes, std::size_t count);
// 32 lower-case hexadecimal digits, high word first (xxhsum -H2 prints the same).
std::string xxh3_128_hex(std::string_view bytes);

}  // namespace rallrec::io
