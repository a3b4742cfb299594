#include "models/llm/arena.h"

#include <algorithm>

#include "core/check.h"

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr std::int64_t kSmallestSlab = std::int64_t{32} << 20;

}  // namespace

at::Tensor Arena::take(std::int64_t bytes) {
  const std::int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t first_free = slab_ + (used_ > 0 ? 1 : 0);
  while (slab_ < slabs_.size() && used_ + rounded > slabs_[slab_].numel()) {
    ++slab_;
    used_ = 0;
  }
  if (slab_ == slabs_.size()) {
    // The empty ones were too small. Kept, they would add up with each larger batch that comes.
    slabs_.resize(std::min(first_free, slabs_.size()));
    slab_ = slabs_.size();
    slabs_.push_back(at::empty({std::max(rounded, kSmallestSlab)}, at::kByte));
    used_ = 0;
  }
  const at::Tensor taken = slabs_[slab_].narrow(0, used_, bytes);
  used_ += rounded;
  return taken;
}

at::Tensor Arena::floats(std::int64_t rows, std::int64_t columns) {
  return take(rows * columns * 4).view(at::kFloat).view({rows, columns});
}

at::Tensor Arena::bytes(std::int64_t rows, std::int64_t columns) {
  return take(rows * columns).view({rows, columns});
}

void Arena::release(const Mark& mark) {
  RALLREC_CHECK(mark.slab < slab_ || (mark.slab == slab_ && mark.used <= used_),
                "Arena: released out of order");
  slab_ = mark.slab;
  used_ = mark.used;
}

std::int64_t Arena::capacity() const {
  std::int64_t total = 0;
  for (const at::Tensor& slab : slabs_) {
    total += slab.numel();
  }
  return total;
}

}  // namespace rallrec::models::llm
