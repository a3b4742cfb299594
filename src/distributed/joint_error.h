#pragma once

#include <functional>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// Runs `body` on every rank; where it throws on any of them, every rank throws the error of the
// lowest such rank. For work that is split over ranks but must fail as one, such as reading parts
// of a file: the report and the exit code then do not depend on which rank is quickest. `body` must
// not call collectives. Collective.
void run_jointly(Communicator& communicator, const std::function<void()>& body,
                 CallSite site = CallSite::here());

// The same for work of rank 0 alone.
void run_on_rank_0(Communicator& communicator, const std::function<void()>& body,
                   CallSite site = CallSite::here());

}  // namespace rallrec::distributed
