#include <algorithm>
#include <atomic>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/support/simt/device.h"
#include "tests/support/simt/report.h"

namespace rallrec::simt {
namespace {

class KernelOperation : public Operation {
 public:
  explicit KernelOperation(KernelCall call) : call_(std::move(call)) {
    static std::atomic<std::uint64_t> launches{0};
    call_.launch = ++launches;
  }
  std::unique_ptr<Operation> again() const override {
    return std::make_unique<KernelOperation>(call_);
  }

  bool step(Random& random) override {
    const dim3 grid = call_.grid;
    const std::uint64_t count = std::uint64_t{grid.x} * grid.y * grid.z;
    if (order_.empty()) {
      shuffle_blocks(count, random);
    }
    const std::uint64_t end = std::min(count, next_ + 1 + random.below(8));
    for (; next_ < end && first_report().empty(); ++next_) {
      const std::uint32_t block = order_[next_];
      const uint3 index{block % grid.x, block / grid.x % grid.y, block / grid.x / grid.y};
      if (!run_block(call_, index, random)) {
        return true;
      }
    }
    return next_ == count || !first_report().empty();
  }

 private:
  void shuffle_blocks(std::uint64_t count, Random& random) {
    order_.resize(count);
    std::iota(order_.begin(), order_.end(), 0U);
    for (std::uint64_t i = count; i > 1; --i) {
      std::swap(order_[i - 1], order_[random.below(i)]);
    }
  }

  KernelCall call_;
  std::vector<std::uint32_t> order_;
  std::uint64_t next_ = 0;
};

class FunctionOperation : public Operation {
 public:
  explicit FunctionOperation(std::function<void()> function) : function_(std::move(function)) {}
  std::unique_ptr<Operation> again() const override {
    return std::make_unique<FunctionOperation>(function_);
  }

  bool step(Random&) override {
    function_();
    return true;
  }

 private:
  std::function<void()> function_;
};

}  // namespace

std::unique_ptr<Operation> kernel_operation(KernelCall call) {
  return std::make_unique<KernelOperation>(std::move(call));
}

std::unique_ptr<Operation> function_operation(std::function<void()> function) {
  return std::make_unique<FunctionOperation>(std::move(function));
}

}  // namespace rallrec::simt
