#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "io/crc32c.h"
#include "io/tensorboard_writer.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::TemporaryFolder;

// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
TEST(Crc32c, KnownValues) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) {
    rising += c;
  }
  EXPECT_EQ(crc32c(rising), 0x46DD794Eu);
}

// A reader of the protocol-buffer wire format, written from its description: field -> raw bytes.
std::map<unsigned, std::string> decode(const std::string& message) {
  std::map<unsigned, std::string> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(message.at(at++));
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.size()) {
    const std::uint64_t key = varint();
    const std::size_t start = at;
    std::size_t size = 0;
    std::string raw;
    switch (key & 7) {
      case 0: {
        const std::uint64_t value = varint();
        raw.assign(reinterpret_cast<const char*>(&value), 8);
        break;
      }
      case 1:
        size = 8;
        break;
      case 2:
        size = varint();
        break;
      case 5:
        size = 4;
        break;
      default:
        ADD_FAILURE() << "wire type at " << start;
        return fields;
    }
    raw += message.substr(at, size);
    at += size;
    fields[static_cast<unsigned>(key >> 3)] = raw;
  }
  return fields;
}

template <typename T>
T as(const std::string& raw) {
  T value{};
  EXPECT_EQ(raw.size(), sizeof(T));
  std::memcpy(&value, raw.data(), sizeof(T));
  return value;
}

std::uint32_t mask(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

std::vector<std::string> unframe(const std::string& file) {
  std::vector<std::string> events;
  for (std::size_t at = 0; at < file.size();) {
    const std::string length = file.substr(at, 8);
    const auto size = as<std::uint64_t>(length);
    EXPECT_EQ(as<std::uint32_t>(file.substr(at + 8, 4)), mask(crc32c(length)));
    events.push_back(file.substr(at + 12, size));
    EXPECT_EQ(as<std::uint32_t>(file.substr(at + 12 + size, 4)), mask(crc32c(events.back())));
    at += 16 + size;
  }
  return events;
}

TEST(Tensorboard, FileHoldsVersionAndScalars) {
  const TemporaryFolder folder;
  TensorboardWriter writer(folder.path());
  writer.add_scalar("tune/loss", 0, 0.75F);
  writer.add_scalar("n\xC3\xA4me", std::int64_t{1} << 40, -3.5F);
  writer.add_scalar("nan", 300, NAN);
  const std::string name = std::filesystem::path(writer.path()).filename();
  EXPECT_EQ(name.rfind("events.out.tfevents.", 0), 0u);
  const std::vector<std::string> events = unframe(folder.get(name));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(decode(events[0]).at(3), "brain.Event:2");
  const auto check = [&](std::size_t i, const std::string& tag, std::int64_t step) {
    auto event = decode(events[i]);
    EXPECT_GT(as<double>(event.at(1)), 1.7e9);
    EXPECT_EQ(as<std::int64_t>(event.at(2)), step);
    auto value = decode(decode(event.at(5)).at(1));
    EXPECT_EQ(value.at(1), tag);
    return as<float>(value.at(2));
  };
  EXPECT_EQ(check(1, "tune/loss", 0), 0.75F);
  EXPECT_EQ(check(2, "n\xC3\xA4me", std::int64_t{1} << 40), -3.5F);
  EXPECT_TRUE(std::isnan(check(3, "nan", 300)));
}

}  // namespace
}  // namespace rallrec::io
