#include "distributed/joint_error.h"

#include <exception>
#include <string>
#include <vector>

#include "core/error.h"

namespace rallrec::distributed {
namespace {

Failure failure_in(const std::function<void()>& body) {
  try {
    body();
  } catch (...) {
    return failure_of(std::current_exception());
  }
  return {ExitCode::kDone, ""};
}

}  // namespace

void run_jointly(Communicator& communicator, const std::function<void()>& body, CallSite site) {
  const Failure mine = failure_in(body);
  const auto code = static_cast<std::int32_t>(mine.code);
  std::vector<std::int32_t> codes(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&code, codes.data(), 1, DType::kInt32, site);
  for (std::size_t rank = 0; rank < codes.size(); ++rank) {
    if (codes[rank] != static_cast<std::int32_t>(ExitCode::kDone)) {
      const std::string message =
          broadcast_string(communicator, mine.message, static_cast<int>(rank), site);
      throw Error(static_cast<ExitCode>(codes[rank]), message);
    }
  }
}

void run_on_rank_0(Communicator& communicator, const std::function<void()>& body, CallSite site) {
  run_jointly(
      communicator,
      [&] {
        if (communicator.rank() == 0) {
          body();
        }
      },
      site);
}

}  // namespace rallrec::distributed
