#include "distributed/joint_error.h"

#include <exception>
#include <string>
#include <vector>

#include "core/error.h"

namespace rallrec::distributed {
namespace {

struct Failure {
  ExitCode code = ExitCode::kDone;
  std::string message;
};

Failure failure_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::kInternal, "out of memory"};
  } catch (const std::exception& error) {
    return {ExitCode::kInternal, error.what()};
  }
  return {};
}

}  // namespace

void run_jointly(Communicator& communicator, const std::function<void()>& body) {
  const Failure mine = failure_of(body);
  const auto code = static_cast<std::int32_t>(mine.code);
  std::vector<std::int32_t> codes(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&code, codes.data(), 1, DType::kInt32);
  for (std::size_t rank = 0; rank < codes.size(); ++rank) {
    if (codes[rank] != static_cast<std::int32_t>(ExitCode::kDone)) {
      const std::string message =
          broadcast_string(communicator, mine.message, static_cast<int>(rank));
      throw Error(static_cast<ExitCode>(codes[rank]), message);
    }
  }
}

}  // namespace rallrec::distributed
