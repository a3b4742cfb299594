#include "distributed/launch_environment.h"

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace rallrec::distributed {
namespace {

int positive_number(const char* name, const char* text) {
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto result = std::from_chars(text, end, value);
  if (result.ec != std::errc() || result.ptr != end || value < 1) {
    throw_usage(std::string(name) + "=" + text +
                ": expected a positive number of processes; unset it or start the job again");
  }
  return value;
}

std::string cure(Launcher launcher) {
  switch (launcher) {
    case Launcher::kSlurm:
      return "start the program with `srun --mpi=pmix` (see `srun --mpi=list`), or with mpirun "
             "inside the allocation";
    case Launcher::kOpenMpi:
      return "use the mpirun of the OpenMPI that this program was built with";
    default:
      return "use a launcher that this program's MPI knows";
  }
}

LaunchEnvironment slurm_step(const char* variable, const char* ranks, const Lookup& lookup) {
  LaunchEnvironment environment{Launcher::kSlurm, positive_number(variable, ranks)};
  environment.connected = lookup("PMIX_RANK") != nullptr || lookup("PMI_RANK") != nullptr;
  return environment;
}

}  // namespace

LaunchEnvironment detect_launch_environment(const Lookup& lookup) {
  if (const char* size = lookup("OMPI_COMM_WORLD_SIZE")) {
    return {Launcher::kOpenMpi, positive_number("OMPI_COMM_WORLD_SIZE", size)};
  }
  const bool in_step = lookup("SLURM_STEP_ID") != nullptr || lookup("SLURM_STEPID") != nullptr;
  if (in_step && lookup("SLURM_PROCID") != nullptr) {
    for (const char* name : {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}) {
      if (const char* size = lookup(name)) {
        return slurm_step(name, size, lookup);
      }
    }
  }
  if (lookup("PMIX_RANK") != nullptr) {
    return {Launcher::kPmix, 0};
  }
  return {};
}

LaunchEnvironment detect_launch_environment() {
  return detect_launch_environment([](const char* name) { return std::getenv(name); });
}

int launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"}) {
    if (const char* value = std::getenv(name)) {
      return std::atoi(value);
    }
  }
  return 0;
}

void check_connection(const LaunchEnvironment& environment) {
  if (environment.needs_mpi() && !environment.connected) {
    throw_usage(
        "srun started " + std::to_string(environment.ranks) +
        " processes without PMIx, so that MPI cannot connect them: " + cure(environment.launcher));
  }
}

void check_world_size(const LaunchEnvironment& environment, int mpi_size) {
  if (environment.ranks == 0 || environment.ranks == mpi_size) {
    return;
  }
  throw_usage("the launcher started " + std::to_string(environment.ranks) +
              " processes but MPI sees " + std::to_string(mpi_size) + ": " +
              cure(environment.launcher));
}

}  // namespace rallrec::distributed
