#include "tests/support/simt/seed.h"

#include <atomic>
#include <cstdlib>
#include <random>

namespace rallrec::simt {
namespace {

std::uint64_t first_seed() {
  const char* text = std::getenv("RALLREC_SIMT_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
}

std::atomic<std::uint64_t>& current() {
  static std::atomic<std::uint64_t> value{first_seed()};
  return value;
}

}  // namespace

std::uint64_t seed() { return current(); }

void set_seed(std::uint64_t value) { current() = value; }

}  // namespace rallrec::simt
