#pragma once

#include <memory>
#include <string>
#include <vector>

#include "distributed/place.h"

namespace rallrec::distributed {

// make_place for "cuda". Throws where the build has no CUDA.
std::unique_ptr<PlaceOwner> make_gpu_place(const PlaceOptions& options, Communicator& host);

// The GPUs that a rank sees, as text: a line with its host, then a line per GPU with its UUID.
// Returns the number, among those it sees, of the GPU that `rank` takes when rank r sees seen[r].
// Throws Error (usage) that names the host where one has fewer GPUs than ranks that see them.
int gpu_of_rank(const std::vector<std::string>& seen, int rank);

}  // namespace rallrec::distributed
