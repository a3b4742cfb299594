#pragma once

#include <string>

#include "core/error.h"

// Throws rallrec::Error (exit code 70) when a precondition of our own code is broken. Wrong input
// from a user is not a broken precondition: use throw_bad_data and its siblings for that.
#define RALLREC_CHECK(condition, message)                                                    \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      throw ::rallrec::Error(std::string(__FILE__) + ":" + std::to_string(__LINE__) + ": " + \
                             (message));                                                     \
    }                                                                                        \
  } while (false)
