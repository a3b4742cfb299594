// Started under mpirun by watched_job_test: steps of made-up work with a watchdog over them, that
// ends as the program itself does.
//
//   watched_rank FOLDER TIMEOUT STEPS MILLISECONDS_OF_RANK_1
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "distributed/session.h"

namespace {

using rallrec::distributed::Communicator;
using rallrec::distributed::DType;
using rallrec::distributed::mark_phase;
using rallrec::distributed::Phase;
using rallrec::distributed::PhaseScope;
using rallrec::distributed::Session;

void work(Communicator& group, int steps, std::chrono::milliseconds time) {
  std::vector<float> data(1000, 1.0F);
  for (int step = 1; step <= steps; ++step) {
    rallrec::distributed::mark_step(step);
    for (int layer = 0; layer < 4; ++layer) {
      mark_phase(Phase::kForward, layer);
      std::this_thread::sleep_for(group.rank() == 1 ? time : std::chrono::milliseconds(4));
      group.all_reduce(data.data(), data.size(), DType::kFloat32);
    }
    mark_phase(Phase::kReduce);
    group.barrier();
    const PhaseScope scope(Phase::kCheckpoint);
    group.barrier();
  }
}

void run(Session& session, char** arguments) {
  const double timeout = std::atof(arguments[2]);
  rallrec::distributed::keep_flight_in(arguments[1]);
  rallrec::distributed::mark_stage("made_up");
  session.watch({{timeout, timeout, timeout, timeout}, [](const std::string& warning) {
                   std::fprintf(stderr, "warning: %s\n", warning.c_str());
                 }});
  work(session.communicator(), std::atoi(arguments[3]),
       std::chrono::milliseconds(std::atoi(arguments[4])));
  session.finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    return EXIT_FAILURE;
  }
  Session session(rallrec::distributed::detect_launch_environment());
  try {
    run(session, argv);
  } catch (...) {
    const rallrec::Failure failure =
        rallrec::failure_of(session.cause_of(std::current_exception()));
    std::fprintf(stderr, "%s\n", failure.message.c_str());
    session.abort(failure.code);
    return static_cast<int>(failure.code);
  }
  std::printf("finished\n");
  return EXIT_SUCCESS;
}
