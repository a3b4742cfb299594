#include "tests/support/simt/nccl_clique.h"

#include <algorithm>

#include "tests/support/simt/device.h"
#include "tests/support/simt/seed.h"

namespace rallrec::simt {
namespace {

class NcclOperation : public Operation {
 public:
  NcclOperation(std::shared_ptr<Clique> clique, int rank, std::vector<Part> parts)
      : clique_(std::move(clique)), rank_(rank), parts_(std::move(parts)) {}
  ~NcclOperation() override {
    const std::lock_guard<std::mutex> lock(nccl_mutex());
    --clique_->rank(rank_).running;
  }

  bool ready() override {
    const std::lock_guard<std::mutex> lock(nccl_mutex());
    return !arrived_ || clique_->rank(rank_).aborted || parts_.empty() ||
           std::any_of(parts_.begin(), parts_.end(),
                       [](const Part& part) { return part.exchange->ready(); });
  }

  bool step(Random& random) override {
    const std::lock_guard<std::mutex> lock(nccl_mutex());
    if (clique_->rank(rank_).aborted) {
      return true;
    }
    if (!arrived_) {
      for (const Part& part : parts_) {
        part.exchange->arrive(part.side);
      }
      arrived_ = true;
      return parts_.empty();
    }
    deliver_one(random);
    return parts_.empty();
  }

 private:
  void deliver_one(Random& random) {
    const std::size_t start = random.below(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto part = parts_.begin() + static_cast<std::ptrdiff_t>((start + i) % parts_.size());
      if (part->exchange->ready()) {
        part->exchange->deliver(part->side, clique_->random());
        parts_.erase(part);
        return;
      }
    }
  }

  std::shared_ptr<Clique> clique_;
  int rank_;
  std::vector<Part> parts_;
  bool arrived_ = false;
};

}  // namespace

std::mutex& nccl_mutex() {
  static auto& shared = *new std::mutex;
  return shared;
}

std::condition_variable& nccl_changed() {
  static auto& shared = *new std::condition_variable;
  return shared;
}

Clique::Clique(int size)
    : ranks_(static_cast<std::size_t>(size)),
      collectives_(static_cast<std::size_t>(size)),
      random_(seed()) {}

bool Clique::all_joined() const {
  return std::all_of(ranks_.begin(), ranks_.end(), [](const auto& rank) { return rank.joined; });
}

bool Clique::all_finalizing() const {
  return std::all_of(ranks_.begin(), ranks_.end(),
                     [](const auto& rank) { return rank.finalizing; });
}

std::string Clique::shared_device() const {
  std::map<int, std::size_t> owners;
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    const auto [owner, is_new] = owners.emplace(ranks_[rank].device, rank);
    if (!is_new) {
      return "Duplicate GPU detected: ranks " + std::to_string(owner->second) + " and " +
             std::to_string(rank) + " are both on device " + std::to_string(owner->first);
    }
  }
  return "";
}

Part Clique::join(int rank, const NcclCall& call) {
  const bool sends = call.kind == NcclKind::kSend;
  const bool pair = sends || call.kind == NcclKind::kRecv;
  std::pair<int, int> ends{-1, -1};
  std::uint64_t number = 0;
  std::size_t side = static_cast<std::size_t>(rank);
  if (pair) {
    ends = sends ? std::make_pair(rank, call.peer) : std::make_pair(call.peer, rank);
    number = sends ? pairs_[ends].sent++ : pairs_[ends].received++;
    side = sends ? 0 : 1;
  } else {
    number = collectives_[side]++;
  }
  std::shared_ptr<Exchange>& exchange = open_[{ends, number}];
  if (exchange == nullptr) {
    exchange = std::make_shared<Exchange>(pair ? std::size_t{2} : ranks_.size());
  }
  const Part part{exchange, side, number == 0};
  exchange->join(side, rank, call);
  if (part.exchange->full()) {
    open_.erase({ends, number});
  }
  return part;
}

std::unique_ptr<Operation> nccl_operation(std::shared_ptr<Clique> clique, int rank,
                                          std::vector<Part> parts) {
  return std::make_unique<NcclOperation>(std::move(clique), rank, std::move(parts));
}

}  // namespace rallrec::simt
