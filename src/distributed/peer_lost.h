#pragma once

#include <string>

#include "core/error.h"

namespace rallrec::distributed {

// Thrown by collectives of a group in which another rank has failed or ended. Never the first cause
// of a failure: that is the other rank's error.
class PeerLost : public Error {
 public:
  explicit PeerLost(const std::string& message) : Error(ExitCode::kPeerLost, message) {}
};

}  // namespace rallrec::distributed
