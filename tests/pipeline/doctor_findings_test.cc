#include <gmock/gmock.h>

#include <filesystem>

#include "pipeline/doctor/control_group.h"
#include "pipeline/doctor/doctor.h"
#include "pipeline/doctor/loaded_libraries.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Finding& about(const Findings& findings, const std::string& words) {
  for (const Finding& finding : findings) {
    if (finding.text.find(words) != std::string::npos) {
      return finding;
    }
  }
  throw std::runtime_error("nothing on " + words);
}

// A Slurm step of the second generation: its own group has no limit, the job around it has.
TEST(ControlGroup, TheLeastLimitOnTheWayUpCounts) {
  const testing::TemporaryFolder folder;
  const std::string step = folder.path() + "/slurm/job_7/step_0";
  std::filesystem::create_directories(step);
  const std::string groups = "0::/slurm/job_7/step_0\n";
  EXPECT_FALSE(control_group_memory(groups, folder.path()));
  folder.put("slurm/job_7/step_0/memory.max", "max\n");
  EXPECT_FALSE(control_group_memory(groups, folder.path()));
  folder.put("slurm/job_7/memory.max", "8000000000\n");
  folder.put("slurm/memory.max", "9000000000\n");
  EXPECT_EQ(control_group_memory(groups, folder.path()), 8e9);
  folder.put("memory.max", "7000000000\n");
  EXPECT_EQ(control_group_memory(groups, folder.path()), 7e9);
  EXPECT_EQ(control_group_memory("0::/\n", folder.path()), 7e9);
  EXPECT_FALSE(control_group_memory("nonsense\n5:cpu:/slurm\n", folder.path()));
}

TEST(ControlGroup, TheFirstGenerationHasAControllerOfMemory) {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() + "/memory/slurm");
  folder.put("memory/memory.limit_in_bytes", "9223372036854771712\n");
  folder.put("memory/slurm/memory.limit_in_bytes", "5000000000\n");
  EXPECT_EQ(control_group_memory("9:memory:/slurm\n5:cpu:/\n", folder.path()), 5e9);
  EXPECT_FALSE(control_group_memory("9:memory:/\n", folder.path()));
}

TEST(LoadedLibraries, TakesEachExecutableMappingOnce) {
  EXPECT_THAT(mapped_libraries("7f00-7f01 r--p 00000000 08:01 12 /usr/lib/libc.so.6\n"
                               "7f01-7f02 r-xp 00001000 08:01 12 /usr/lib/libc.so.6\n"
                               "7f02-7f03 r-xp 00001000 08:01 13 /deps/libgomp-98b21ff3.so.1\n"
                               "7f03-7f04 r-xp 00002000 08:01 13 /deps/libgomp-98b21ff3.so.1\n"
                               "7f05-7f06 rw-p 00000000 00:00 0 [heap]\n"
                               "7f07-7f08 r--p 00000000 08:01 14 /usr/lib/locale/data.so.txt\n"),
              ElementsAre("/deps/libgomp-98b21ff3.so.1", "/usr/lib/libc.so.6"));
}

TEST(LoadedLibraries, WhatMustBeThereOnceIsBrokenTwice) {
  const Findings good = library_findings({"/deps/libgomp-98b21ff3.so.1", "/usr/lib/libc.so.6"});
  EXPECT_EQ(about(good, "OpenMP").severity, Severity::kOk);
  EXPECT_EQ(about(good, "NCCL").severity, Severity::kOk);
  EXPECT_EQ(about(good, "protobuf").severity, Severity::kOk);

  const Findings bad =
      library_findings({"/deps/libgomp-98b21ff3.so.1", "/usr/lib/libgomp.so.1", "/a/libnccl.so.2",
                        "/b/libnccl.so.2.28", "/usr/lib/libprotobuf-lite.so.32"});
  EXPECT_EQ(about(bad, "OpenMP is loaded 2 times").severity, Severity::kBroken);
  EXPECT_THAT(about(bad, "NCCL is loaded 2 times").text, HasSubstr("/b/libnccl.so.2.28"));
  EXPECT_EQ(about(bad, "a protobuf library").severity, Severity::kBroken);
}

TEST(Findings, OfAllRanksAreToldOnceWithTheirAdvice) {
  const Finding build{Severity::kOk, "build", "rallrec 0.1.0", ""};
  const Finding memory{Severity::kWarning, "memory", "little", "add some"};
  const Finding disk{Severity::kBroken, "run folder", "full", "make room", ExitCode::kIo};
  Finding speed{Severity::kOk, "exchange", "fast", ""};
  speed.of_job = true;
  const std::vector<Findings> ranks = {findings_in(to_text({build, memory, disk, speed})),
                                       findings_in(to_text({build, disk})),
                                       findings_in(to_text({build, memory}))};
  const auto joined = join_findings(ranks);
  ASSERT_EQ(joined.size(), 4U);
  EXPECT_THAT(joined[0].ranks, ElementsAre(0, 1, 2));
  EXPECT_THAT(joined[1].ranks, ElementsAre(0, 2));
  EXPECT_EQ(code_of(joined), ExitCode::kIo);
  EXPECT_EQ(code_of({joined[0], joined[1]}), ExitCode::kDone);
  EXPECT_EQ(finding_lines(joined, 3),
            "ok       build        rallrec 0.1.0\n"
            "warning  memory       little [ranks 0, 2]\n"
            "                      -> add some\n"
            "broken   run folder   full [ranks 0, 1]\n"
            "                      -> make room\n"
            "ok       exchange     fast\n");
}

}  // namespace
}  // namespace rallrec::pipeline
