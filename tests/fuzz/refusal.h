#pragma once

#include "core/error.h"

namespace rallrec::testing {

// Runs a reader on an input that may be anything: it may take it, or refuse it as wrong input (64,
// 65, 66). Whatever else comes out of it, a broken precondition say, is a finding.
template <typename Read>
void take_or_refuse(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    const bool refused = error.code() == ExitCode::kUsage || error.code() == ExitCode::kBadData ||
                         error.code() == ExitCode::kMissingInput;
    if (!refused) {
      throw;
    }
  }
}

}  // namespace rallrec::testing
