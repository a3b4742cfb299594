#pragma once

#include <functional>
#include <string>

namespace rallrec::distributed {

enum class Launcher { kNone, kOpenMpi, kSlurm, kPmix };

// What the launcher says about this process through environment variables, before MPI is asked.
struct LaunchEnvironment {
  Launcher launcher = Launcher::kNone;
  // Processes of the job step; 0 where the launcher does not say (bare PMIx).
  int ranks = 1;
  // False where srun offers its tasks no way to find each other (`--mpi=none`, or a Slurm without
  // PMIx): OpenMPI would end the program inside MPI_Init.
  bool connected = true;

  // Whether MPI has to be initialised: not without a launcher, and not for a job of one.
  bool needs_mpi() const { return launcher != Launcher::kNone && ranks != 1; }
};

// Looks a variable up; returns nullptr where it is not set.
using Lookup = std::function<const char*(const char*)>;

// Reads OpenMPI's (mpirun), Slurm's (srun: only inside a job step; a batch script or an salloc
// shell is one process) and PMIx's variables, in this order. Throws Error (usage) where a count is
// not a positive number.
LaunchEnvironment detect_launch_environment(const Lookup& lookup);
// The same on the process's environment.
LaunchEnvironment detect_launch_environment();

// This process's rank as its launcher says, 0 without one: for what happens before MPI is asked.
int launched_rank();

// Throws Error (usage) with the cure where MPI is needed and could not be started. Called before
// it.
void check_connection(const LaunchEnvironment& environment);

// Throws Error (usage) with the cure where the launcher started several processes and MPI did not
// connect them, so that each would do the whole job alone.
void check_world_size(const LaunchEnvironment& environment, int mpi_size);

}  // namespace rallrec::distributed
