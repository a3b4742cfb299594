#include "pipeline/doctor/doctor.h"

#include <cstdio>
#include <memory>

#include "commands/checks.h"
#include "commands/command_list.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/files.h"
#include "pipeline/doctor/flight_story.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string flight;
  std::string output;
  pipeline::DoctorRequest request;
};

int tell_flight(const std::string& folder, const CommandContext& context) {
  if (context.communicator.rank() == 0) {
    std::fputs(pipeline::flight_story(pipeline::read_flight_files(folder)).c_str(), stdout);
  }
  return 0;
}

int run(Flags flags, CommandContext& context) {
  if (!flags.flight.empty()) {
    return tell_flight(flags.flight, context);
  }
  if (!flags.output.empty() && context.communicator.rank() == 0) {
    io::require_place_for(flags.output, {});
  }
  flags.request.folder = context.options.output.run_dir;
  const int ranks = context.communicator.size();
  const auto findings = pipeline::examine(flags.request, context.options, context.communicator);
  auto code = static_cast<std::int32_t>(pipeline::code_of(findings));
  if (context.communicator.rank() == 0) {
    std::fputs(pipeline::finding_lines(findings, ranks).c_str(), stdout);
    if (!flags.output.empty()) {
      io::write_file_atomically(flags.output, pipeline::finding_json(findings, ranks));
    }
  }
  context.communicator.broadcast(&code, 1, distributed::DType::kInt32, 0);
  return code;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("--output", flags->output, "Write the findings as JSON too")->type_name("FILE");
  app.add_option("--seconds", flags->request.seconds, "How long the all-reduce is measured [2]")
      ->check(number_from(0.0));
  app.add_option("--flight", flags->flight,
                 "Instead: say in words what the flight records of a hung job tell (folder "
                 "flight/ of its run)")
      ->type_name("DIR");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command doctor_command() {
  Command command;
  command.name = "doctor";
  command.group = kToolsGroup;
  command.summary = "What is built, loaded and there, and whether it works together";
  command.description =
      "Looks at the build and the libraries that were really loaded, the launcher and MPI, cores, "
      "memory and limits, GPUs, the file system of the run folder (free space, fsync, rename), the "
      "clocks of the ranks and an all-reduce between them. Each finding is ok, note, warning or "
      "broken, and says what to do. Start it as the job will be started. The exit code is 0 unless "
      "something is broken: then 74 where it is the run folder, 70 the libraries, 64 the threads, "
      "77 a sum over the ranks.";
  command.example = "mpirun -n 4 rallrec doctor --run-dir runs/mine --output doctor.json";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
