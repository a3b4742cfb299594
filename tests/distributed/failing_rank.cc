// Started under mpirun by rank_failure_test: ends or fails in the way its argument names, while the
// other ranks wait in a collective.
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "core/error.h"
#include "distributed/session.h"

namespace {

using rallrec::Error;
using rallrec::distributed::Communicator;
using rallrec::distributed::DType;
using rallrec::distributed::ReduceOp;

void fail(const std::string& how, Communicator& group) {
  if (how == "throw") {
    rallrec::throw_bad_data("scores.jsonl:7", "made up");
  } else if (how == "throw_with_work_under_way") {
    std::vector<float> data(1 << 20);
    auto handle = group.all_reduce_async(data.data(), data.size(), DType::kFloat32, ReduceOp::kSum);
    rallrec::throw_bad_data("scores.jsonl:7", "made up");
  } else if (how == "sigkill") {
    kill(getpid(), SIGKILL);
  } else if (how == "mismatch") {
    std::vector<double> data(2);
    group.all_gather_async(data.data(), data.data(), 1, DType::kFloat64).wait();
  }
}

void work(const std::string& how, Communicator& group) {
  std::vector<float> data(1 << 20, 1.0F);
  group.all_reduce(data.data(), data.size(), DType::kFloat32);
  if (how != "none" && group.rank() == group.size() - 1) {
    fail(how, group);
  }
  for (int round = 0; round < 2; ++round) {
    group.all_reduce(data.data(), data.size(), DType::kFloat32);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using rallrec::distributed::Session;
  Session session(rallrec::distributed::detect_launch_environment());
  std::printf("local rank %d of %d, %d on its cores\n", session.local_rank(),
              session.ranks_on_node(), session.ranks_on_same_cores());
  try {
    work(argc > 1 ? argv[1] : "none", session.communicator());
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    session.abort(error.code());
    return static_cast<int>(error.code());
  }
  std::printf("finished\n");
  return 0;
}
