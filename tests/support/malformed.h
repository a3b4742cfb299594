#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::testing {

// Content that a reader must refuse with this code and a message that holds `message`.
struct Malformed {
  const char* name;
  std::string bytes;
  std::string message;
  ExitCode code = ExitCode::kBadData;
};

// Whether `read` ends in an Error of this code whose message names `path` and holds `message`;
// anything else fails the test.
template <typename Read>
bool is_refused(ExitCode code, const std::string& path, const std::string& message,
                const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string text = error.what();
    const bool as_expected = error.code() == code && text.find(path) != std::string::npos &&
                             text.find(message) != std::string::npos;
    EXPECT_TRUE(as_expected) << "code " << static_cast<int>(error.code()) << ", message: " << text
                             << "\nexpected: code " << static_cast<int>(code) << " and: " << message
                             << "\nof: " << path;
    return as_expected;
  }
  ADD_FAILURE() << "accepted; expected: " << message;
  return false;
}

// Leaves the number of refused files in the test's report; `least` is that of the table, so that no
// row of it goes missing unseen.
inline void record_refused(int refused, int least) {
  EXPECT_GE(refused, least);
  ::testing::Test::RecordProperty("malformed_cases", refused);
}

// Puts each content into a file of this name and expects that read(path) refuses it.
template <typename Read>
void expect_refused(const std::string& file, const std::vector<Malformed>& cases, int least,
                    const Read& read) {
  const TemporaryFolder folder;
  int refused = 0;
  for (const Malformed& one : cases) {
    SCOPED_TRACE(one.name);
    const std::string path = folder.put(file, one.bytes);
    refused += is_refused(one.code, path, one.message, [&] { read(path); }) ? 1 : 0;
  }
  record_refused(refused, least);
}

}  // namespace rallrec::testing
