#include "io/tensorboard_writer.h"

#include <unistd.h>

#include <chrono>
#include <cstring>

#include "io/crc32c.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little endian");

namespace rallrec::io {
namespace {

// Field numbers of event.proto and summary.proto, and the wire types of protocol buffers.
constexpr unsigned kEventWallTime = 1;
constexpr unsigned kEventStep = 2;
constexpr unsigned kEventFileVersion = 3;
constexpr unsigned kEventSummary = 5;
constexpr unsigned kSummaryValue = 1;
constexpr unsigned kValueTag = 1;
constexpr unsigned kValueSimple = 2;

enum class Wire : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 128; value >>= 7) {
    out += static_cast<char>(128 | (value & 127));
  }
  out += static_cast<char>(value);
}

void put_key(std::string& out, unsigned field, Wire wire) {
  put_varint(out, field << 3 | static_cast<unsigned>(wire));
}

template <typename Number>
void put_raw(std::string& out, Number value) {
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  out.append(bytes, sizeof(value));
}

void put_bytes(std::string& out, unsigned field, std::string_view bytes) {
  put_key(out, field, Wire::kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_wall_time(std::string& out, double wall_time) {
  put_key(out, kEventWallTime, Wire::kFixed64);
  put_raw(out, wall_time);
}

// The format's authors rotate and shift each sum, so that a sum over data that holds sums stays
// sound.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xA282EAD8;
}

double now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

std::string event_file_name(const std::string& folder) {
  char host[256] = "localhost";
  ::gethostname(host, sizeof(host) - 1);
  return folder + "/events.out.tfevents." + std::to_string(static_cast<std::int64_t>(now())) + "." +
         host + "." + std::to_string(::getpid()) + ".v2";
}

}  // namespace

TensorboardWriter::TensorboardWriter(const std::string& folder)
    : path_(event_file_name(folder)), file_(path_) {
  file_.append(frame_event(encode_version_event(now())));
}

void TensorboardWriter::add_scalar(std::string_view tag, std::int64_t step, float value) {
  file_.append(frame_event(encode_scalar_event(now(), step, tag, value)));
}

std::string frame_event(std::string_view event) {
  std::string length;
  put_raw(length, static_cast<std::uint64_t>(event.size()));
  std::string record = length;
  put_raw(record, masked_crc(length));
  record += event;
  put_raw(record, masked_crc(event));
  return record;
}

std::string encode_version_event(double wall_time) {
  std::string event;
  put_wall_time(event, wall_time);
  put_bytes(event, kEventFileVersion, "brain.Event:2");
  return event;
}

std::string encode_scalar_event(double wall_time, std::int64_t step, std::string_view tag,
                                float value) {
  std::string scalar;
  put_bytes(scalar, kValueTag, tag);
  put_key(scalar, kValueSimple, Wire::kFixed32);
  put_raw(scalar, value);
  std::string summary;
  put_bytes(summary, kSummaryValue, scalar);
  std::string event;
  put_wall_time(event, wall_time);
  put_key(event, kEventStep, Wire::kVarint);
  put_varint(event, static_cast<std::uint64_t>(step));
  put_bytes(event, kEventSummary, summary);
  return event;
}

}  // namespace rallrec::io
