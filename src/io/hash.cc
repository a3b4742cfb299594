#include "io/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include <vector>

#include "core/check.h"
#include "io/input_file.h"

namespace rallrec::io {
namespace {

template <typename Bytes>
std::string to_hex(const Bytes& bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  RALLREC_CHECK(
      state_->context != nullptr && EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1,
      "OpenSSL offers no SHA-256");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(const void* bytes, std::size_t count) {
  RALLREC_CHECK(EVP_DigestUpdate(state_->context, bytes, count) == 1, "SHA-256 update failed");
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned count = 0;
  RALLREC_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &count) == 1,
                "SHA-256 finish failed");
  return to_hex(digest, count);
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_of_file(const std::string& path) {
  const InputFile file(path);
  Sha256 hash;
  std::vector<char> block(std::size_t{1} << 20);
  std::uint64_t offset = 0;
  while (const std::size_t got = file.read_some(offset, block.data(), block.size())) {
    hash.update(block.data(), got);
    offset += got;
  }
  return hash.finish();
}

struct Xxh3::State {
  XXH3_state_t* state = XXH3_createState();
  ~State() { XXH3_freeState(state); }
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {
  RALLREC_CHECK(state_->state != nullptr && XXH3_128bits_reset(state_->state) == XXH_OK,
                "XXH3 could not be started");
}
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;

void Xxh3::update(const void* bytes, std::size_t count) {
  RALLREC_CHECK(XXH3_128bits_update(state_->state, bytes, count) == XXH_OK, "XXH3 update failed");
}

std::array<std::uint64_t, 2> Xxh3::digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->state);
  return {hash.low64, hash.high64};
}

std::array<std::uint64_t, 2> xxh3_128(const void* bytes, std::size_t count) {
  const XXH128_hash_t hash = XXH3_128bits(bytes, count);
  return {hash.low64, hash.high64};
}

std::uint64_t xxh3_64(const void* bytes, std::size_t count) { return XXH3_64bits(bytes, count); }

std::string xxh3_128_hex(std::string_view bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  return to_hex(canonical.digest, sizeof(canonical.digest));
}

}  // namespace rallrec::io
