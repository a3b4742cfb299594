#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.h"

namespace rallrec::distributed {

enum class CollectiveKind {
  kAllReduce,
  kAllGather,
  kAllGatherV,
  kReduceScatter,
  kAllToAll,
  kAllToAllV,
  kBroadcast,
  kGatherV,
  kBarrier
};

// One rank's call of a collective, as a value. The pointers are the caller's buffers.
struct Collective {
  CollectiveKind kind = CollectiveKind::kBarrier;
  const void* input = nullptr;
  void* output = nullptr;
  DType dtype = DType::kUInt8;
  ReduceOp op = ReduceOp::kSum;
  int root = 0;
  // Elements. all_reduce, broadcast: count of the vector; reduce_scatter, all_gather, all_to_all:
  // count of one rank's piece; 0 for the v forms and the barrier.
  std::size_t count = 0;
  // Elements per rank. all_gather_v and gather_v use receive_counts for the common counts.
  std::vector<std::size_t> send_counts;
  std::vector<std::size_t> receive_counts;
  CallSite site;
};

// "all_reduce", …; "float32", ….
const char* name_of(CollectiveKind kind);
const char* name_of(DType dtype);

// "all_reduce(sum, 12 x float32)": what an error message calls it.
std::string describe(const Collective& call);
// "all_reduce(sum, 12 x float32) at trainer.cc:123".
std::string describe_with_site(const Collective& call);

// Throws Error (exit code 70) where its counts or its root cannot be those of `size` ranks.
void check(const Collective& call, int rank, int size);

// What two ranks must agree about before data moves between them. Plain bytes: ranks send it to
// each other. Parts that mean nothing for a kind are 0.
struct CallSummary {
  std::int32_t kind = 0;
  std::int32_t dtype = 0;
  std::int32_t op = 0;
  std::int32_t root = 0;
  std::uint64_t count = 0;
  // Hash of the counts that all ranks share.
  std::uint64_t counts_hash = 0;
  // Bytes between this rank and the one the summary is for.
  std::uint64_t bytes_to_peer = 0;
  std::uint64_t bytes_from_peer = 0;
  // describe() and text_of(site), cut to fit, ending in 0.
  std::array<char, 80> text{};
  std::array<char, 48> site{};
};

// The call of `rank` as seen by `peer`.
CallSummary summarise(const Collective& call, int rank, int peer, int size);

// Whether the calls of two ranks, each summarised for the other, belong together.
bool agree(const CallSummary& a, const CallSummary& b);

// Bytes of the caller's input side.
std::size_t input_bytes(const Collective& call, int rank, int size);

// A run of bytes in a buffer.
struct Segment {
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

// Which bytes of `input` a rank sends to each rank (itself included), and where in `output` (or,
// for the reducing kinds, in a scratch buffer with one piece per rank) the piece of each rank goes.
// A broadcast's root sends from `output`.
struct Route {
  std::vector<Segment> send;
  std::vector<Segment> receive;
};
Route route_of(const Collective& call, int rank, int size);

}  // namespace rallrec::distributed
