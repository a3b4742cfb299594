#include "tests/support/simt/nccl_exchange.h"

#include <algorithm>
#include <cstring>

#include "tests/support/simt/memory.h"
#include "tests/support/simt/report.h"

namespace rallrec::simt {
namespace {

bool fit(const NcclCall& a, const NcclCall& b) {
  const bool pair = a.kind == NcclKind::kSend || a.kind == NcclKind::kRecv;
  const bool kinds = pair ? a.kind != b.kind : a.kind == b.kind && a.peer == b.peer;
  return kinds && a.count == b.count && a.type == b.type && a.op == b.op;
}

bool overlap(const void* a, std::size_t a_bytes, const void* b, std::size_t b_bytes) {
  const auto* x = static_cast<const char*>(a);
  const auto* y = static_cast<const char*>(b);
  return x < y + b_bytes && y < x + a_bytes;
}

// False, and a report, where the memory has gone since the call.
bool alive(const void* memory, std::size_t bytes, const char* which, const NcclCall& call) {
  if (bytes == 0 || within(MemoryKind::kDevice, memory, bytes)) {
    return true;
  }
  report(std::string("the ") + which + " of " + describe(call) +
         " was freed before the collective was done; called at " + describe(call.site));
  return false;
}

}  // namespace

bool Exchange::join(std::size_t side, int rank, const NcclCall& call) {
  sides_[side].call = call;
  sides_[side].rank = rank;
  for (const Side& other : sides_) {
    if (&other == &sides_[side] || !other.call || fit(*other.call, call)) {
      continue;
    }
    broken_ = true;
    report("calls of NCCL do not match: rank " + std::to_string(other.rank) + " calls " +
           describe(*other.call) + " at " + describe(other.call->site) + "; rank " +
           std::to_string(rank) + " calls " + describe(call) + " at " + describe(call.site));
    return false;
  }
  return true;
}

bool Exchange::full() const {
  return std::all_of(sides_.begin(), sides_.end(),
                     [](const Side& side) { return side.call.has_value(); });
}

void Exchange::arrive(std::size_t side) {
  Side& mine = sides_[side];
  mine.arrived = true;
  const NcclCall& call = *mine.call;
  const int ranks = static_cast<int>(sides_.size());
  const std::size_t in = input_bytes(call, mine.rank, ranks);
  const std::size_t out = output_bytes(call, ranks);
  // Who reads the output too early finds this, not what was there before.
  if (out > 0 && !overlap(call.input, in, call.output, out) &&
      alive(call.output, out, "output", call)) {
    std::memset(call.output, 0xFF, out);
  }
}

bool Exchange::ready() const {
  return !broken_ &&
         std::all_of(sides_.begin(), sides_.end(), [](const Side& side) { return side.arrived; });
}

Bytes Exchange::input_of(const Side& side) const {
  const std::size_t bytes = input_bytes(*side.call, side.rank, static_cast<int>(sides_.size()));
  Bytes input(bytes, 0xFF);
  if (bytes > 0 && alive(side.call->input, bytes, "input", *side.call)) {
    std::memcpy(input.data(), side.call->input, bytes);
  }
  return input;
}

void Exchange::transfer(Random& random) {
  std::vector<Bytes> inputs;
  for (const Side& side : sides_) {
    inputs.push_back(input_of(side));
  }
  const NcclCall& first = *sides_[0].call;
  Bytes whole;
  if (is_pair()) {
    whole = inputs[0];
  } else if (first.kind == NcclKind::kBroadcast) {
    whole = inputs[static_cast<std::size_t>(first.peer)];
  } else if (first.kind == NcclKind::kAllGather) {
    for (const Bytes& input : inputs) {
      whole.insert(whole.end(), input.begin(), input.end());
    }
  } else {
    whole = reduce_in_some_order(inputs, first.type, first.op, random);
  }
  const std::size_t piece = first.count * bytes_of(first.type);
  for (std::size_t i = 0; i < sides_.size(); ++i) {
    const bool scattered = first.kind == NcclKind::kReduceScatter;
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(scattered ? i * piece : 0);
    sides_[i].result.assign(begin,
                            scattered ? begin + static_cast<std::ptrdiff_t>(piece) : whole.end());
  }
  transferred_ = true;
}

void Exchange::deliver(std::size_t side, Random& random) {
  if (!transferred_) {
    transfer(random);
  }
  const NcclCall& call = *sides_[side].call;
  const std::size_t bytes = output_bytes(call, static_cast<int>(sides_.size()));
  if (bytes > 0 && alive(call.output, bytes, "output", call)) {
    std::memcpy(call.output, sides_[side].result.data(), bytes);
  }
}

}  // namespace rallrec::simt
