#pragma once

#include <memory>

#include "core/cuda_handle.h"
#include "distributed/communicator.h"

namespace rallrec::distributed {

// Lets cases written for host memory run on a communicator of device memory: buffers are copied to
// the device when a collective starts and back when its handle is waited for. `inner` outlives it.
// The caller's current device is that of `inner`.
std::unique_ptr<Communicator> make_staged_communicator(Communicator& inner);

}  // namespace rallrec::distributed
