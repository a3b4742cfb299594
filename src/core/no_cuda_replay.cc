// CUDA graphs in a build without CUDA.
#include "core/no_cuda.h"
#include "core/replay.h"

namespace rallrec::detail {

std::unique_ptr<Replay::Graph> capture_gpu(const Queue& /*queue*/,
                                           const std::function<void()>& /*work*/) {
  throw_no_cuda("a CUDA graph");
}

}  // namespace rallrec::detail
