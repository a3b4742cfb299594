#include "tests/support/simt/ranges.h"

#include <utility>

#include "nvtx3/nvToolsExt.h"
#include "tests/support/simt/report.h"

namespace {

thread_local std::vector<std::string> open;
thread_local std::vector<std::string> all;

}  // namespace

namespace rallrec::simt {

std::vector<std::string> take_ranges() {
  if (!open.empty()) {
    report("an NVTX range is still open: " + open.back());
  }
  return std::exchange(all, {});
}

}  // namespace rallrec::simt

int nvtxRangePushA(const char* name) {
  open.push_back(open.empty() ? name : open.back() + "/" + name);
  all.push_back(open.back());
  return static_cast<int>(open.size()) - 1;
}

int nvtxRangePop() {
  if (open.empty()) {
    rallrec::simt::report("nvtxRangePop without a range");
    return -2;
  }
  open.pop_back();
  return static_cast<int>(open.size());
}
