#include "distributed/nccl_bootstrap.h"

#include <cstring>
#include <map>

#include "core/cuda_check.h"
#include "core/host_name.h"
#include "distributed/nccl_error.h"

namespace rallrec::distributed {
namespace {

constexpr std::size_t kIdBytes = sizeof(ncclUniqueId);

std::string hex_of(const char* bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

// What a rank brings: the id (zeros but for rank 0), then UUID and host, a line each.
std::string pack(const ncclUniqueId& id, const GpuIdentity& gpu) {
  return std::string(id.internal, kIdBytes) + gpu.uuid + "\n" + gpu.host;
}

GpuIdentity unpack_gpu(const std::string& text) {
  const std::size_t newline = text.find('\n', kIdBytes);
  if (text.size() < kIdBytes || newline == std::string::npos) {
    throw Error("the ranks do not agree about how NCCL is started: are all of the same build?");
  }
  return {text.substr(newline + 1), text.substr(kIdBytes, newline - kIdBytes)};
}

}  // namespace

GpuIdentity identify_gpu(int device) {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, device), "asking for a GPU's UUID");
  return {host_name(), "GPU-" + hex_of(properties.uuid.bytes, sizeof(properties.uuid.bytes))};
}

void require_distinct_gpus(const std::vector<GpuIdentity>& gpus) {
  std::map<std::string, std::size_t> owners;
  for (std::size_t rank = 0; rank < gpus.size(); ++rank) {
    const auto [owner, is_new] = owners.emplace(gpus[rank].uuid, rank);
    if (!is_new) {
      throw_usage("ranks " + std::to_string(owner->second) + " and " + std::to_string(rank) +
                  " both use " + gpus[rank].uuid + " of host " + gpus[rank].host +
                  ": NCCL needs a GPU for each rank; start at most one rank per GPU of a node, and "
                  "let each see its own (CUDA_VISIBLE_DEVICES, or srun --gpus-per-task=1)");
    }
  }
}

ncclUniqueId agree_on_unique_id(Rendezvous& rendezvous, int device) {
  ncclUniqueId id{};
  if (rendezvous.rank() == 0) {
    check_nccl(ncclGetUniqueId(&id), 0, "asking NCCL for a unique id");
  }
  const std::vector<std::string> texts = rendezvous.exchange(pack(id, identify_gpu(device)));
  std::vector<GpuIdentity> gpus;
  for (const std::string& text : texts) {
    gpus.push_back(unpack_gpu(text));
  }
  require_distinct_gpus(gpus);
  std::memcpy(id.internal, texts[0].data(), kIdBytes);
  return id;
}

}  // namespace rallrec::distributed
