#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"

namespace rallrec::testing {

// Expects that `action` throws rallrec::Error with this code and a message that contains `text`.
template <typename Action>
void expect_error(ExitCode code, const std::string& text, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos)
        << "message: " << error.what() << "\nexpected in it: " << text;
    return;
  }
  ADD_FAILURE() << "nothing was thrown; expected: " << text;
}

}  // namespace rallrec::testing
