#include "distributed/collective.h"

#include <algorithm>

#include "core/check.h"

namespace rallrec::distributed {
const char* name_of(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kAllReduce:
      return "all_reduce";
    case CollectiveKind::kAllGather:
      return "all_gather";
    case CollectiveKind::kAllGatherV:
      return "all_gather_v";
    case CollectiveKind::kReduceScatter:
      return "reduce_scatter";
    case CollectiveKind::kAllToAll:
      return "all_to_all";
    case CollectiveKind::kAllToAllV:
      return "all_to_all_v";
    case CollectiveKind::kBroadcast:
      return "broadcast";
    case CollectiveKind::kGatherV:
      return "gather_v";
    case CollectiveKind::kBarrier:
      return "barrier";
  }
  return "unknown";
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::kUInt8:
      return "uint8";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat32:
      return "float32";
    case DType::kFloat64:
      return "float64";
  }
  return "unknown";
}

namespace {

const char* name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return "sum";
    case ReduceOp::kMin:
      return "min";
    case ReduceOp::kMax:
      return "max";
  }
  return "unknown";
}

bool reduces(CollectiveKind kind) {
  return kind == CollectiveKind::kAllReduce || kind == CollectiveKind::kReduceScatter;
}

bool has_root(CollectiveKind kind) {
  return kind == CollectiveKind::kBroadcast || kind == CollectiveKind::kGatherV;
}

bool has_send_counts(CollectiveKind kind) { return kind == CollectiveKind::kAllToAllV; }

bool has_receive_counts(CollectiveKind kind) {
  return kind == CollectiveKind::kAllGatherV || kind == CollectiveKind::kAllToAllV ||
         kind == CollectiveKind::kGatherV;
}

std::string list_of(const std::vector<std::size_t>& counts) {
  std::string text = "[";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(counts[i]);
  }
  return text + "]";
}

std::string counts_of(const Collective& call) {
  switch (call.kind) {
    case CollectiveKind::kAllToAllV:
      return list_of(call.send_counts) + " to " + list_of(call.receive_counts);
    case CollectiveKind::kAllGatherV:
    case CollectiveKind::kGatherV:
      return list_of(call.receive_counts);
    default:
      return std::to_string(call.count);
  }
}

void check_counts(const std::vector<std::size_t>& counts, bool wanted, int size) {
  RALLREC_CHECK(counts.size() == (wanted ? static_cast<std::size_t>(size) : 0),
                "a collective got " + std::to_string(counts.size()) + " counts for " +
                    std::to_string(size) + " ranks");
}

// FNV-1a over the numbers.
std::uint64_t hash_of(const std::vector<std::size_t>& counts) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::size_t count : counts) {
    hash = (hash ^ count) * 0x100000001b3;
  }
  return hash;
}

// Pieces one behind the other, `counts` elements long.
std::vector<Segment> packed(const std::vector<std::size_t>& counts, std::size_t element) {
  std::vector<Segment> segments;
  std::size_t offset = 0;
  for (const std::size_t count : counts) {
    segments.push_back({offset * element, count * element});
    offset += count;
  }
  return segments;
}

// The same piece for everybody.
std::vector<Segment> repeated(std::size_t bytes, int size) {
  return std::vector<Segment>(static_cast<std::size_t>(size), Segment{0, bytes});
}

// A piece for one rank, nothing for the others.
std::vector<Segment> only(int peer, std::size_t bytes, int size) {
  std::vector<Segment> segments(static_cast<std::size_t>(size));
  segments[static_cast<std::size_t>(peer)].bytes = bytes;
  return segments;
}

}  // namespace

std::string describe(const Collective& call) {
  std::string text = name_of(call.kind);
  if (call.kind == CollectiveKind::kBarrier) {
    return text;
  }
  text += "(";
  if (reduces(call.kind)) {
    text += std::string(name_of(call.op)) + ", ";
  }
  text += counts_of(call) + " x " + name_of(call.dtype);
  if (has_root(call.kind)) {
    text += ", root " + std::to_string(call.root);
  }
  return text + ")";
}

std::string describe_with_site(const Collective& call) {
  const std::string site = text_of(call.site);
  return describe(call) + (site.empty() ? "" : " at " + site);
}

void check(const Collective& call, int rank, int size) {
  check_counts(call.send_counts, has_send_counts(call.kind), size);
  check_counts(call.receive_counts, has_receive_counts(call.kind), size);
  RALLREC_CHECK(!has_root(call.kind) || (call.root >= 0 && call.root < size),
                "root " + std::to_string(call.root) + " is not a rank of " + std::to_string(size));
  const auto me = static_cast<std::size_t>(rank);
  RALLREC_CHECK(
      call.kind != CollectiveKind::kAllToAllV || call.send_counts[me] == call.receive_counts[me],
      "all_to_all_v: a rank's piece for itself has two lengths");
}

CallSummary summarise(const Collective& call, int rank, int peer, int size) {
  CallSummary summary;
  summary.kind = static_cast<std::int32_t>(call.kind);
  summary.dtype = static_cast<std::int32_t>(call.dtype);
  summary.op = reduces(call.kind) ? static_cast<std::int32_t>(call.op) : 0;
  summary.root = has_root(call.kind) ? call.root : 0;
  summary.count = call.count;
  if (call.kind != CollectiveKind::kAllToAllV) {
    summary.counts_hash = hash_of(call.receive_counts);
  }
  const Route route = route_of(call, rank, size);
  summary.bytes_to_peer = route.send[static_cast<std::size_t>(peer)].bytes;
  summary.bytes_from_peer = route.receive[static_cast<std::size_t>(peer)].bytes;
  describe(call).copy(summary.text.data(), summary.text.size() - 1);
  text_of(call.site).copy(summary.site.data(), summary.site.size() - 1);
  return summary;
}

bool agree(const CallSummary& a, const CallSummary& b) {
  return a.kind == b.kind && a.dtype == b.dtype && a.op == b.op && a.root == b.root &&
         a.count == b.count && a.counts_hash == b.counts_hash &&
         a.bytes_to_peer == b.bytes_from_peer && a.bytes_from_peer == b.bytes_to_peer;
}

std::size_t input_bytes(const Collective& call, int rank, int size) {
  const Route route = route_of(call, rank, size);
  std::size_t end = 0;
  for (const Segment& segment : route.send) {
    end = std::max(end, segment.offset + segment.bytes);
  }
  return end;
}

Route route_of(const Collective& call, int rank, int size) {
  const std::size_t element = size_of(call.dtype);
  const std::size_t bytes = call.count * element;
  const auto me = static_cast<std::size_t>(rank);
  const std::vector<std::size_t> equal(static_cast<std::size_t>(size), call.count);
  Route none{repeated(0, size), repeated(0, size)};
  switch (call.kind) {
    case CollectiveKind::kAllReduce:
    case CollectiveKind::kAllGather:
      return {repeated(bytes, size), packed(equal, element)};
    case CollectiveKind::kReduceScatter:
    case CollectiveKind::kAllToAll:
      return {packed(equal, element), packed(equal, element)};
    case CollectiveKind::kAllGatherV:
      return {repeated(call.receive_counts[me] * element, size),
              packed(call.receive_counts, element)};
    case CollectiveKind::kAllToAllV:
      return {packed(call.send_counts, element), packed(call.receive_counts, element)};
    case CollectiveKind::kBroadcast:
      return {rank == call.root ? repeated(bytes, size) : none.send, only(call.root, bytes, size)};
    case CollectiveKind::kGatherV:
      return {only(call.root, call.receive_counts[me] * element, size),
              rank == call.root ? packed(call.receive_counts, element) : none.receive};
    case CollectiveKind::kBarrier:
      break;
  }
  return none;
}

}  // namespace rallrec::distributed
