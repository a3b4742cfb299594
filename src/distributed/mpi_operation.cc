#include "distributed/mpi_operation.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "core/error.h"
#include "distributed/partition.h"
#include "distributed/reduction.h"

namespace rallrec::distributed {
namespace {

// One tag is enough: messages of a pair of ranks arrive in the order they were sent, and every rank
// runs the same collectives in the same order.
constexpr int kTag = 1;

unsigned char* bytes_at(void* data, std::size_t offset) {
  return static_cast<unsigned char*>(data) + offset;
}

const unsigned char* bytes_at(const void* data, std::size_t offset) {
  return static_cast<const unsigned char*>(data) + offset;
}

}  // namespace

MpiOperation::MpiOperation(const Collective& call, MPI_Comm comm, int rank, int size,
                           std::size_t largest_message)
    : call_(call), comm_(comm), rank_(rank), size_(size), largest_message_(largest_message) {
  plan();
}

bool MpiOperation::advance() {
  for (;;) {
    if (!requests_.empty()) {
      int complete = 0;
      statuses_.resize(requests_.size());
      const int result = MPI_Testall(static_cast<int>(requests_.size()), requests_.data(),
                                     &complete, statuses_.data());
      if (result == MPI_ERR_IN_STATUS) {
        for (const MPI_Status& status : statuses_) {
          check(status.MPI_ERROR == MPI_ERR_PENDING ? MPI_SUCCESS : status.MPI_ERROR,
                "MPI_Testall");
        }
      }
      check(result, "MPI_Testall");
      if (complete == 0) {
        return false;
      }
      requests_.clear();
    }
    if (next_step_ == steps_.size()) {
      return true;
    }
    steps_[next_step_++]();
  }
}

void MpiOperation::plan() {
  steps_.push_back([this] { exchange_summaries(); });
  steps_.push_back([this] { compare_summaries(); });
  switch (call_.kind) {
    case CollectiveKind::kAllReduce:
    case CollectiveKind::kReduceScatter:
      plan_reduction();
      break;
    case CollectiveKind::kBroadcast:
      steps_.push_back([this] { broadcast(); });
      break;
    case CollectiveKind::kBarrier:
      steps_.push_back([this] {
        requests_.emplace_back();
        check(MPI_Ibarrier(comm_, &requests_.back()), "MPI_Ibarrier");
      });
      break;
    default:
      steps_.push_back(
          [this] { exchange(call_.input, call_.output, route_of(call_, rank_, size_)); });
  }
}

void MpiOperation::exchange_summaries() {
  Route route;
  for (int peer = 0; peer < size_; ++peer) {
    my_summaries_.push_back(summarise(call_, rank_, peer, size_));
    const Segment piece{static_cast<std::size_t>(peer) * sizeof(CallSummary), sizeof(CallSummary)};
    route.send.push_back(piece);
    route.receive.push_back(piece);
  }
  their_summaries_.resize(my_summaries_.size());
  exchange(my_summaries_.data(), their_summaries_.data(), route);
}

void MpiOperation::compare_summaries() const {
  for (std::size_t peer = 0; peer < their_summaries_.size(); ++peer) {
    const CallSummary& theirs = their_summaries_[peer];
    if (!agree(my_summaries_[peer], theirs)) {
      throw Error("the ranks' collectives do not match: rank " + std::to_string(rank_) + " calls " +
                  describe_with_site(call_) + " but rank " + std::to_string(peer) + " calls " +
                  theirs.text.data() + " at " + theirs.site.data());
    }
  }
}

void MpiOperation::plan_reduction() {
  const std::size_t bytes = call_.count * size_of(call_.dtype);
  if (call_.kind == CollectiveKind::kAllReduce && bytes > kSmallReduction) {
    plan_sliced_all_reduce();
    return;
  }
  scratch_.resize(bytes * static_cast<std::size_t>(size_));
  steps_.push_back(
      [this] { exchange(call_.input, scratch_.data(), route_of(call_, rank_, size_)); });
  steps_.push_back([this] {
    reduce_pieces(call_.output, scratch_.data(), size_, call_.count, call_.dtype, call_.op);
  });
}

void MpiOperation::plan_sliced_all_reduce() {
  const std::size_t element = size_of(call_.dtype);
  const Range mine = split_evenly(call_.count, size_, rank_);
  Route scatter;
  Route gather;
  for (int peer = 0; peer < size_; ++peer) {
    const Range theirs = split_evenly(call_.count, size_, peer);
    const Segment their_slice{theirs.begin * element, theirs.size() * element};
    const Segment my_slice{mine.begin * element, mine.size() * element};
    scatter.send.push_back(their_slice);
    scatter.receive.push_back({static_cast<std::size_t>(peer) * my_slice.bytes, my_slice.bytes});
    gather.send.push_back(my_slice);
    gather.receive.push_back(their_slice);
  }
  scratch_.resize(mine.size() * element * static_cast<std::size_t>(size_));
  steps_.push_back([this, scatter] { exchange(call_.input, scratch_.data(), scatter); });
  steps_.push_back([this, mine, element] {
    reduce_pieces(bytes_at(call_.output, mine.begin * element), scratch_.data(), size_, mine.size(),
                  call_.dtype, call_.op);
  });
  steps_.push_back([this, gather] { exchange(call_.output, call_.output, gather); });
}

void MpiOperation::exchange(const void* input, void* output, const Route& route) {
  // Each rank starts with its right neighbour, so that not all send to rank 0 first.
  for (int step = 1; step < size_; ++step) {
    const int peer = (rank_ + size_ - step) % size_;
    const Segment& piece = route.receive[static_cast<std::size_t>(peer)];
    receive(bytes_at(output, piece.offset), piece.bytes, peer);
  }
  for (int step = 1; step < size_; ++step) {
    const int peer = (rank_ + step) % size_;
    const Segment& piece = route.send[static_cast<std::size_t>(peer)];
    send(bytes_at(input, piece.offset), piece.bytes, peer);
  }
  const Segment& from = route.send[static_cast<std::size_t>(rank_)];
  const Segment& to = route.receive[static_cast<std::size_t>(rank_)];
  if (to.bytes > 0 && bytes_at(input, from.offset) != bytes_at(output, to.offset)) {
    std::memcpy(bytes_at(output, to.offset), bytes_at(input, from.offset), to.bytes);
  }
}

void MpiOperation::send(const unsigned char* data, std::size_t bytes, int peer) {
  for (std::size_t done = 0; done < bytes; done += largest_message_) {
    const auto length = static_cast<int>(std::min(largest_message_, bytes - done));
    requests_.emplace_back();
    check(MPI_Isend(data + done, length, MPI_BYTE, peer, kTag, comm_, &requests_.back()),
          "MPI_Isend");
  }
}

void MpiOperation::receive(unsigned char* data, std::size_t bytes, int peer) {
  for (std::size_t done = 0; done < bytes; done += largest_message_) {
    const auto length = static_cast<int>(std::min(largest_message_, bytes - done));
    requests_.emplace_back();
    check(MPI_Irecv(data + done, length, MPI_BYTE, peer, kTag, comm_, &requests_.back()),
          "MPI_Irecv");
  }
}

void MpiOperation::broadcast() {
  const std::size_t bytes = call_.count * size_of(call_.dtype);
  for (std::size_t done = 0; done < bytes; done += largest_message_) {
    const auto length = static_cast<int>(std::min(largest_message_, bytes - done));
    requests_.emplace_back();
    check(MPI_Ibcast(bytes_at(call_.output, done), length, MPI_BYTE, call_.root, comm_,
                     &requests_.back()),
          "MPI_Ibcast");
  }
}

void MpiOperation::check(int result, const char* function) const {
  if (result == MPI_SUCCESS) {
    return;
  }
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  throw Error(ExitCode::kPeerLost, "rank " + std::to_string(rank_) + ": " + function + " in " +
                                       describe(call_) + ": " +
                                       std::string(text.data(), static_cast<std::size_t>(length)));
}

}  // namespace rallrec::distributed
