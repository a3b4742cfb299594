#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/commands/tuning_fixture.h"

namespace rallrec::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class DoctorTest : public TuningFixture {
 protected:
  Json examine(int ranks) const {
    const Outcome outcome =
        run(ranks, {"doctor", "--run-dir", folder.file("runs/new"), "--seconds", "0.2", "--threads",
                    "1", "--output", folder.file("doctor.json")});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    return Json::parse(folder.get("doctor.json"));
  }
  // The first finding whose text holds the words.
  static Json find(const Json& report, const std::string& words) {
    for (const Json& finding : report["findings"]) {
      if (finding["text"].get<std::string>().find(words) != std::string::npos) {
        return finding;
      }
    }
    ADD_FAILURE() << "nothing on '" << words << "' in " << report.dump(2);
    return {{"severity", ""}, {"text", ""}, {"ranks", Json::array()}};
  }
};

TEST_F(DoctorTest, LooksAtOneRank) {
  const Json report = examine(1);
  EXPECT_EQ(report["ranks"], 1);
  EXPECT_THAT(find(report, "OpenMP: /")["text"].get<std::string>(), HasSubstr("gomp"));
  EXPECT_EQ(find(report, "protobuf: none")["severity"], "ok");
  EXPECT_EQ(find(report, "fsync of 4 KiB")["severity"], "ok");
  EXPECT_EQ(find(report, "rename is atomic")["severity"], "ok");
  EXPECT_THAT(find(report, "libtorch_cpu")["text"].get<std::string>(), HasSubstr("libc10"));
  EXPECT_THAT(find(report, "one rank")["advice"].get<std::string>(), HasSubstr("mpirun"));
  EXPECT_THAT(find(report, "runs/new: not there yet")["text"].get<std::string>(),
              HasSubstr("looked at " + folder.path()));
  // Nothing is left behind, and the run folder is not made.
  EXPECT_FALSE(std::filesystem::exists(folder.file("runs")));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    EXPECT_EQ(entry.path().filename().string().find(".doctor"), std::string::npos) << entry.path();
  }
}

TEST_F(DoctorTest, LooksAtSeveralRanksAndWhatIsBetweenThem) {
  const Json report = examine(3);
  EXPECT_EQ(report["ranks"], 3);
  EXPECT_EQ(find(report, "protobuf: none")["ranks"], Json({0, 1, 2}));
  EXPECT_EQ(find(report, "all ranks see")["ranks"], Json({0}));
  EXPECT_EQ(find(report, "clocks of the ranks")["severity"], "ok");
  const Json reduced = find(report, "all-reduce of 16.8 MB over 3 ranks");
  EXPECT_EQ(reduced["severity"], "ok");
  EXPECT_THAT(reduced["text"].get<std::string>(), HasSubstr("GB/s"));
  EXPECT_THAT(find(report, "ranks here: 3")["text"].get<std::string>(),
              HasSubstr("threads of each: 1"));
}

TEST_F(DoctorTest, AFileIsNoRunFolder) {
  const std::string file = folder.put("taken", "");
  const Outcome outcome = run(1, {"doctor", "--run-dir", file, "--seconds", "0"});
  EXPECT_EQ(outcome.code, 74);
  EXPECT_THAT(outcome.out, HasSubstr("taken: no folder"));
  // Before anything is looked at.
  const Outcome nowhere = run(1, {"doctor", "--output", folder.file("none/doctor.json")});
  EXPECT_EQ(nowhere.code, 66);
  EXPECT_EQ(nowhere.out, "");
}

TEST_F(DoctorTest, ABrokenFolderIsBroken) {
  if (geteuid() == 0) {
    GTEST_SKIP() << "root may write everywhere";
  }
  std::filesystem::create_directory(folder.file("closed"));
  std::filesystem::permissions(folder.file("closed"), std::filesystem::perms::owner_read |
                                                          std::filesystem::perms::owner_exec);
  const Outcome outcome = run(1, {"doctor", "--run-dir", folder.file("closed")});
  EXPECT_EQ(outcome.code, 74);
  EXPECT_THAT(outcome.out, HasSubstr("broken   run folder"));
}

TEST_F(DoctorTest, TellsWhoWaitedForWhomFromFlightRecords) {
  std::filesystem::create_directory(folder.file("flight"));
  const auto event = [](int number, double age, const std::string& kind, int layer, int sequence,
                        const std::string& collective) {
    return "{\"event\": " + std::to_string(number) + ", \"age\": " + std::to_string(age) +
           ", \"kind\": \"" + kind +
           "\", \"stage\": \"tune\", \"phase\": \"backward\", \"step\": 3, \"layer\": " +
           std::to_string(layer) + ", \"sequence\": " + std::to_string(sequence) +
           ", \"collective\": \"" + collective +
           "\", \"dtype\": \"uint8\", \"elements\": 64, \"site\": \"layers.cc:12\"}\n";
  };
  const auto head = [](int rank, int calls, const std::string& job = "a", double time = 2.0) {
    return "{\"rank\": " + std::to_string(rank) + ", \"ranks\": 2, \"host\": \"node" +
           std::to_string(rank) + "\", \"job\": \"" + job +
           "\", \"pid\": 1, \"unix_time\": " + std::to_string(time) +
           ", \"calls\": " + std::to_string(calls) +
           ", \"waited_seconds\": 1.0, \"code\": 71, \"verdict\": \"\"}\n";
  };
  const std::string waiting = head(0, 8) + event(1, 11.5, "call", 2, 8, "all_gather_v") +
                              event(2, 11.0, "wait", 2, 8, "all_gather_v");
  folder.put("flight/rank0.jsonl", waiting);
  const auto story = [&] { return rallrec({"doctor", "--flight", folder.file("flight")}).out; };
  EXPECT_THAT(story(),
              AllOf(HasSubstr("rank 0 on node0: tune, step 3, backward, layer 2, has "
                              "waited 11.0 s in all_gather_v of 64 x uint8 at layers.cc:12 "
                              "(collective 8)"),
                    HasSubstr("rank 0 waited for rank 1, of which there is no record")));
  // What an earlier hang of the same run left takes no part.
  folder.put("flight/rank1.jsonl",
             head(1, 7, "b", 1.0) + event(9, 12.0, "done", 1, 7, "all_gather_v"));
  EXPECT_THAT(story(), HasSubstr("rank 0 waited for rank 1, of which there is no record"));
  folder.put("flight/rank1.jsonl", head(1, 7) + event(9, 12.0, "done", 1, 7, "all_gather_v"));
  EXPECT_THAT(story(), HasSubstr("rank 0 waited for rank 1, which had not come to collective 8: "
                                 "tune, step 3, backward, layer 1"));
  folder.put("flight/rank1.jsonl", head(1, 8) + event(9, 12.0, "call", 1, 8, "barrier"));
  EXPECT_THAT(story(), HasSubstr("do not match: as collective 8 rank 0 called all_gather_v"));
  EXPECT_EQ(rallrec({"doctor", "--flight", folder.file("nowhere")}).code, 66);
  folder.put("flight/rank1.jsonl", "{\"rank\": 1}\n");
  const Outcome bad = rallrec({"doctor", "--flight", folder.file("flight")});
  EXPECT_EQ(bad.code, 65);
  EXPECT_THAT(bad.err, HasSubstr("rank1.jsonl:1"));
}

}  // namespace
}  // namespace rallrec::testing
