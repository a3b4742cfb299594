#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/append_file.h"

namespace rallrec::io {

// Writes scalars for TensorBoard as they come: a file
// events.out.tfevents.<seconds>.<host>.<process>.v2 of framed records, each a protocol-buffer Event
// written by hand. One record is
//   length (8 bytes), masked crc32c of the length (4), the event (length), masked crc32c of it (4),
// little endian; docs/formats.md has an example. Errors of the system are throw_io.
class TensorboardWriter {
 public:
  // Makes a new file in `folder`, which must exist.
  explicit TensorboardWriter(const std::string& folder);

  const std::string& path() const { return path_; }
  // Non-finite values are written as they are; TensorBoard shows them as gaps.
  void add_scalar(std::string_view tag, std::int64_t step, float value);
  void sync() { file_.sync(); }

 private:
  std::string path_;
  AppendFile file_;
};

// One framed record around these bytes.
std::string frame_event(std::string_view event);
// The protocol-buffer Event {wall_time, file_version "brain.Event:2"} that each file starts with.
std::string encode_version_event(double wall_time);
// The Event {wall_time, step, summary {value {tag, simple_value}}}.
std::string encode_scalar_event(double wall_time, std::int64_t step, std::string_view tag,
                                float value);

}  // namespace rallrec::io
