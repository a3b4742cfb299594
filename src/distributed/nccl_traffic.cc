#include "distributed/nccl_traffic.h"

#include <algorithm>

namespace rallrec::distributed {
namespace {

unsigned char* bytes_at(void* data, std::size_t offset) {
  return static_cast<unsigned char*>(data) + offset;
}

const unsigned char* bytes_at(const void* data, std::size_t offset) {
  return static_cast<const unsigned char*>(data) + offset;
}

bool all_equal(const std::vector<std::size_t>& counts) {
  return std::all_of(counts.begin(), counts.end(),
                     [&](std::size_t count) { return count == counts[0]; });
}

// The first failure; "in progress" is none. NCCL wants the group ended whatever happens in it.
ncclResult_t end_group(ncclResult_t inside) {
  const ncclResult_t end = ncclGroupEnd();
  return inside == ncclSuccess || inside == ncclInProgress ? end : inside;
}

ncclResult_t worse(ncclResult_t so_far, ncclResult_t next) {
  return so_far == ncclSuccess || so_far == ncclInProgress ? next : so_far;
}

}  // namespace

ncclDataType_t nccl_type(DType dtype) {
  switch (dtype) {
    case DType::kUInt8:
      return ncclUint8;
    case DType::kInt32:
      return ncclInt32;
    case DType::kInt64:
      return ncclInt64;
    case DType::kFloat32:
      return ncclFloat32;
    case DType::kFloat64:
      return ncclFloat64;
  }
  return ncclUint8;
}

ncclRedOp_t nccl_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return ncclSum;
    case ReduceOp::kMin:
      return ncclMin;
    case ReduceOp::kMax:
      return ncclMax;
  }
  return ncclSum;
}

ncclResult_t exchange(const NcclLane& lane, const void* input, void* output, const Route& route,
                      DType dtype) {
  const std::size_t element = size_of(dtype);
  ncclResult_t result = ncclGroupStart();
  for (int peer = 0; peer < lane.size; ++peer) {
    const Segment& out = route.send[static_cast<std::size_t>(peer)];
    const Segment& in = route.receive[static_cast<std::size_t>(peer)];
    if (out.bytes > 0) {
      result = worse(result, ncclSend(bytes_at(input, out.offset), out.bytes / element,
                                      nccl_type(dtype), peer, lane.comm, lane.stream));
    }
    if (in.bytes > 0) {
      result = worse(result, ncclRecv(bytes_at(output, in.offset), in.bytes / element,
                                      nccl_type(dtype), peer, lane.comm, lane.stream));
    }
  }
  return end_group(result);
}

ncclResult_t gather_to_all(const NcclLane& lane, const void* input, void* output,
                           const std::vector<std::size_t>& counts, DType dtype) {
  if (all_equal(counts)) {
    return ncclAllGather(input, output, counts[0], nccl_type(dtype), lane.comm, lane.stream);
  }
  // Broadcasts rather than sends: over several nodes each byte then leaves its node once.
  ncclResult_t result = ncclGroupStart();
  std::size_t offset = 0;
  for (int root = 0; root < lane.size; ++root) {
    const std::size_t count = counts[static_cast<std::size_t>(root)];
    if (count > 0) {
      result = worse(result, ncclBroadcast(input, bytes_at(output, offset), count, nccl_type(dtype),
                                           root, lane.comm, lane.stream));
    }
    offset += count * size_of(dtype);
  }
  return end_group(result);
}

}  // namespace rallrec::distributed
