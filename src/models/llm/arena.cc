#include "models/llm/arena.h"

#include <algorithm>

#include "core/check.h"

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kSmallestSlab = std::int64_t{32} << 20;

std::int64_t size_of(const DeviceArray<std::byte>& slab) {
  return static_cast<std::int64_t>(slab.size());
}

}  // namespace

std::byte* Arena::take(std::int64_t bytes) {
  const std::int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t first_free = slab_ + (used_ > 0 ? 1 : 0);
  while (slab_ < slabs_.size() && used_ + rounded > size_of(slabs_[slab_])) {
    ++slab_;
    used_ = 0;
  }
  if (slab_ == slabs_.size()) {
    // The empty ones were too small. Kept, they would add up with each larger batch that comes.
    slabs_.resize(std::min(first_free, slabs_.size()));
    slab_ = slabs_.size();
    slabs_.emplace_back(queue_, "tune.token_budget, embed.token_budget or infer.token_budget");
    slabs_.back().resize(static_cast<std::size_t>(std::max(rounded, kSmallestSlab)));
    used_ = 0;
  }
  std::byte* taken = slabs_[slab_].data() + used_;
  used_ += rounded;
  return taken;
}

Rows Arena::floats(std::int64_t rows, std::int64_t columns) {
  return {array<float>(rows * columns), rows, columns};
}

void Arena::release(const Mark& mark) {
  RALLREC_CHECK(mark.slab < slab_ || (mark.slab == slab_ && mark.used <= used_),
                "Arena: released out of order");
  slab_ = mark.slab;
  used_ = mark.used;
}

std::int64_t Arena::capacity() const {
  std::int64_t total = 0;
  for (const DeviceArray<std::byte>& slab : slabs_) {
    total += size_of(slab);
  }
  return total;
}

}  // namespace rallrec::models::llm
