#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "nccl.h"

namespace rallrec::simt {

enum class NcclKind { kAllReduce, kAllGather, kReduceScatter, kBroadcast, kSend, kRecv };

// Where in the program a call of NCCL was made: the innermost frames of the stack.
struct CallSite {
  std::array<void*, 12> frames{};
};
CallSite this_call_site();
// The callers, without the stand-in's own functions: "a file:line, called by b file:line, …".
std::string describe(const CallSite& site);

// One rank's call.
struct NcclCall {
  NcclKind kind = NcclKind::kAllReduce;
  const void* input = nullptr;
  void* output = nullptr;
  std::size_t count = 0;
  ncclDataType_t type = ncclUint8;
  ncclRedOp_t op = ncclSum;
  int peer = 0;  // root, or the other side of a send or receive
  CallSite site;
};

std::size_t bytes_of(ncclDataType_t type);  // 0 where the stand-in does not know the type
// What the call reads and writes on a rank of `ranks`; a broadcast reads on its root alone.
std::size_t input_bytes(const NcclCall& call, int rank, int ranks);
std::size_t output_bytes(const NcclCall& call, int ranks);

const char* name_of(NcclKind kind);
// "ncclAllReduce(12 x type 7, op 0)".
std::string describe(const NcclCall& call);

}  // namespace rallrec::simt
