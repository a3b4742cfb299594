#include "distributed/place.h"

#include <algorithm>
#include <map>

#include "core/error.h"
#include "distributed/gpu_place.h"

namespace rallrec::distributed {
namespace {

class CpuPlace : public PlaceOwner {
 public:
  explicit CpuPlace(Communicator& host) : host_(host) {}
  Place place() override { return cpu_place(host_); }

 private:
  Communicator& host_;
};

}  // namespace

std::unique_ptr<PlaceOwner> make_place(const PlaceOptions& options, Communicator& host) {
  if (options.device == "cpu") {
    return std::make_unique<CpuPlace>(host);
  }
  if (options.device != "cuda") {
    throw_usage("cluster.device = \"" + options.device + "\": expected \"cpu\" or \"cuda\"");
  }
  return make_gpu_place(options, host);
}

int gpu_of_rank(const std::vector<std::string>& seen, int rank) {
  std::map<std::string, int> ranks;  // that see the same
  int mine = 0;
  for (std::size_t r = 0; r < seen.size(); ++r) {
    const int before = ranks[seen[r]]++;
    mine = static_cast<int>(r) == rank ? before : mine;
  }
  for (const auto& [list, count] : ranks) {
    const auto gpus = static_cast<int>(std::count(list.begin(), list.end(), '\n')) - 1;
    if (count > gpus) {
      throw_usage("cluster.device = \"cuda\": host " + list.substr(0, list.find('\n')) + " has " +
                  std::to_string(gpus) + (gpus == 1 ? " GPU for " : " GPUs for ") +
                  std::to_string(count) + " ranks; start at most one rank per GPU of a node, or " +
                  "choose --device cpu");
    }
  }
  return mine;
}

}  // namespace rallrec::distributed
