#include "tests/support/simt/nccl_call.h"

#include <execinfo.h>

#include "tests/support/simt/code_name.h"

namespace rallrec::simt {

CallSite this_call_site() {
  CallSite site;
  backtrace(site.frames.data(), static_cast<int>(site.frames.size()));
  return site;
}

std::string describe(const CallSite& site) {
  constexpr int kShown = 4;
  std::string text;
  int shown = 0;
  for (void* frame : site.frames) {
    const std::string name = frame == nullptr ? "" : code_name(frame);
    if (name.empty() || name.find("tests/support/simt/nccl") != std::string::npos) {
      continue;
    }
    text += (text.empty() ? "" : ", called by ") + name;
    if (++shown == kShown) {
      break;
    }
  }
  return text;
}

std::size_t bytes_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt8:
    case ncclUint8:
      return 1;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32:
      return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64:
      return 8;
    default:
      return 0;
  }
}

std::size_t input_bytes(const NcclCall& call, int rank, int ranks) {
  const std::size_t bytes = call.count * bytes_of(call.type);
  switch (call.kind) {
    case NcclKind::kReduceScatter:
      return bytes * static_cast<std::size_t>(ranks);
    case NcclKind::kBroadcast:
      return rank == call.peer ? bytes : 0;
    case NcclKind::kRecv:
      return 0;
    default:
      return bytes;
  }
}

std::size_t output_bytes(const NcclCall& call, int ranks) {
  const std::size_t bytes = call.count * bytes_of(call.type);
  switch (call.kind) {
    case NcclKind::kAllGather:
      return bytes * static_cast<std::size_t>(ranks);
    case NcclKind::kSend:
      return 0;
    default:
      return bytes;
  }
}

const char* name_of(NcclKind kind) {
  switch (kind) {
    case NcclKind::kAllReduce:
      return "ncclAllReduce";
    case NcclKind::kAllGather:
      return "ncclAllGather";
    case NcclKind::kReduceScatter:
      return "ncclReduceScatter";
    case NcclKind::kBroadcast:
      return "ncclBroadcast";
    case NcclKind::kSend:
      return "ncclSend";
    case NcclKind::kRecv:
      return "ncclRecv";
  }
  return "unknown";
}

std::string describe(const NcclCall& call) {
  std::string text = std::string(name_of(call.kind)) + "(" + std::to_string(call.count) +
                     " x type " + std::to_string(call.type);
  switch (call.kind) {
    case NcclKind::kAllReduce:
    case NcclKind::kReduceScatter:
      text += ", op " + std::to_string(call.op);
      break;
    case NcclKind::kBroadcast:
      text += ", root " + std::to_string(call.peer);
      break;
    case NcclKind::kSend:
    case NcclKind::kRecv:
      text += ", peer " + std::to_string(call.peer);
      break;
    default:
      break;
  }
  return text + ")";
}

}  // namespace rallrec::simt
