// `rallrec tune` under mpirun with a rank that stops, dies or is slow: H1, H2 and H4.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>

#include "io/npy.h"
#include "tests/commands/background_program.h"
#include "tests/commands/tuning_fixture.h"
#include "tests/support/soak.h"

namespace rallrec::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

char state_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);  // empty where it ends at this moment
  const std::size_t name_end = text.rfind(')');
  return name_end == std::string::npos || text.size() < name_end + 3 ? '-' : text[name_end + 2];
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A run of which one rank stops itself at a place.
struct StoppedRun {
  StoppedRun(std::vector<std::string> arguments, std::vector<std::string> variables,
             std::string its_name, std::string where, const std::string& output)
      : name(std::move(its_name)), place(std::move(where)) {
    variables.push_back("RALLREC_TEST_STOP=" + place);
    program = std::make_unique<BackgroundProgram>(std::move(arguments), variables, output);
  }
  std::string silent() const { return place.substr(0, 1); }
  std::string survivor() const { return silent() == "1" ? "0" : "1"; }

  void look() {
    if (ranks.size() < 2) {
      ranks = program->children();
    }
    const bool stops = std::any_of(ranks.begin(), ranks.end(),
                                   [](pid_t process) { return state_of(process) == 'T'; });
    if (!stopped && stops) {
      stopped = true;
      since = Clock::now();
    }
    if (!ended && !program->running()) {
      ended = true;
      seconds = seconds_since(since);
    }
  }

  std::string name;   // of its output folder and its log
  std::string place;  // "RANK:PHASE:COUNT"
  std::unique_ptr<BackgroundProgram> program;
  std::vector<pid_t> ranks;
  Clock::time_point since = Clock::now();
  double seconds = 0.0;
  bool stopped = false;
  bool ended = false;
};

class WatchdogTest : public TuningFixture {
 protected:
  WatchdogTest()
      : train_(write_prompts("train.jsonl", 40, 1)), valid_(write_prompts("valid.jsonl", 8, 2)) {}

  // Many steps, with a checkpoint and an evaluation every few of them.
  std::vector<std::string> long_run(const std::string& output, double timeout) const {
    const std::string limit = std::to_string(timeout);
    return on_ranks(
        2, tune_arguments(
               train_, output,
               {"--valid", valid_, "--set", "tune.epochs=4000", "--set", "tune.patience=0", "--set",
                "watchdog.timeout=" + limit, "--set", "watchdog.load=" + limit, "--set",
                "watchdog.prompts=" + limit, "--set", "watchdog.checkpoint=" + limit}));
  }

  // Steps that compute for most of their time, one after the other: in small ones a rank that is
  // slowed down spends as much of it between the two halves of a collective.
  std::vector<std::string> long_steps(const std::string& output) const {
    return on_ranks(
        2, tune_arguments(write_prompts("many.jsonl", 400, 3), output,
                          {"--set", "tune.epochs=4000", "--set", "tune.batch_size=400", "--set",
                           "tune.token_budget=4096", "--set", "tune.checkpoint_every=100000",
                           "--set", "watchdog.timeout=4"}));
  }

  std::string write_interactions() const {
    std::string rows = "user_id:token\titem_id:token\tlabel:float\n";
    for (int row = 0; row < 600; ++row) {
      rows += "u" + std::to_string(row % 40) + "\ti" + std::to_string(row * 7 % 53) + "\t" +
              std::to_string(row % 2) + "\n";
    }
    return folder.put("made_up.inter", rows);
  }

  // An epoch of these is a moment, and there is no end of them.
  std::vector<std::string> graph_run(const std::string& output) const {
    return on_ranks(
        2, {"light_gcn", "--interactions", write_interactions(), "--output", folder.file(output),
            "--set", "light_gcn.epochs=1000000", "--set", "watchdog.timeout=4"});
  }
  std::vector<std::string> baseline_run(const std::string& output) const {
    const std::string file = write_interactions();
    return on_ranks(
        2, {"baseline", "--model", "deep_fm", "--train", file, "--valid", file, "--test", file,
            "--output", folder.file(output), "--set", "baseline.epochs=1000000", "--set",
            "baseline.patience=1000000", "--set", "watchdog.timeout=4"});
  }

  // Commands that write one file, into the folder `output`.
  std::vector<std::string> model_run(const std::string& command, const std::string& output,
                                     const std::string& input) const {
    return on_ranks(
        2, {command, "--model", model, "--input", input, "--output", folder.file(output + "/out"),
            "--set", command + ".token_budget=64", "--set", "watchdog.timeout=4"});
  }
  std::vector<std::string> align_run(const std::string& output) const {
    std::vector<float> values(std::size_t{64} * 16);
    Rng rng(5);
    std::generate(values.begin(), values.end(), [&] { return rng.next_float(); });
    io::write_npy(folder.file("text.npy"), values.data(), {64, 16});
    io::write_npy(folder.file("graph.npy"), values.data(), {64, 8});
    return on_ranks(2, {"align", "--text", folder.file("text.npy"), "--graph",
                        folder.file("graph.npy"), "--output", folder.file(output + "/out.npy"),
                        "--set", "align.steps=1000000", "--set", "watchdog.timeout=4"});
  }

  StoppedRun start(const std::vector<std::string>& arguments, const std::string& name,
                   const std::string& place) const {
    std::filesystem::remove_all(folder.file(name));
    std::filesystem::create_directory(folder.file(name));
    std::filesystem::remove(folder.file(name + ".log"));
    return {arguments, variables(), name, place, folder.file(name + ".log")};
  }

  // How many of the runs were found to hang, and ended as they must.
  int expect_all_found(std::vector<StoppedRun>& runs, double timeout) const {
    const auto all_ended = [&] {
      std::for_each(runs.begin(), runs.end(), [](StoppedRun& run) { run.look(); });
      return std::all_of(runs.begin(), runs.end(), [](const StoppedRun& run) { return run.ended; });
    };
    EXPECT_TRUE(wait_until(all_ended, 150));
    int found = 0;
    for (StoppedRun& run : runs) {
      expect_found(run, timeout);
      found += run.stopped && !HasFailure() ? 1 : 0;
    }
    return found;
  }

  int stop_at(const std::vector<std::string>& places, double timeout) const {
    std::vector<StoppedRun> runs;
    for (const std::string& place : places) {
      const std::string name = name_of(place);
      runs.push_back(start(long_run(name, timeout), name, place));
    }
    return expect_all_found(runs, timeout);
  }

  std::string train_;
  std::string valid_;

 private:
  static std::string name_of(std::string place) {
    std::replace(place.begin(), place.end(), ':', '_');
    return place;
  }

  void expect_found(StoppedRun& run, double timeout) const {
    const std::string& name = run.name;
    const std::string log = folder.get(name + ".log");
    EXPECT_TRUE(run.stopped) << run.place << "\n" << log;
    EXPECT_EQ(run.program->wait(), 71) << run.place << "\n" << log;
    EXPECT_LE(run.seconds, timeout + 5.0) << run.place;
    // What it was seen in may be one report older than where it stopped.
    EXPECT_THAT(log, AllOf(HasSubstr("rank " + run.silent() + " on "),
                           HasSubstr("has been silent for"), HasSubstr("last seen in "),
                           HasSubstr("rank " + run.survivor() + " on "), HasSubstr("waits in ")))
        << run.place;
    EXPECT_THAT(folder.get(name + "/flight/rank" + run.survivor() + ".jsonl"),
                HasSubstr("\"kind\": \"wait\""))
        << run.place;
    record_event(R"({"test": "H1", "place": ")" + run.place + R"(", "seconds": )" +
                 std::to_string(run.seconds) + "}");
  }
};

// H1: in each phase, and the rank that observes the others itself. Several at once where one run
// after the other would take minutes.
TEST_F(WatchdogTest, AStoppedRankIsFoundAndNamedInEveryPhase) {
  const std::vector<std::string> places = {"1:load:1",       "1:prompts:1", "1:forward:9",
                                           "1:backward:9",   "1:reduce:3",  "1:checkpoint:1",
                                           "1:evaluation:5", "0:forward:9"};
  const int repeats = soak_count("H1_repeats", 1, 5);
  const double timeout = repeats == 1 ? 4.0 : 10.0;
  const std::size_t at_once = repeats == 1 ? places.size() / 2 : 1;
  int found = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t begin = 0; begin < places.size(); begin += at_once) {
      found += stop_at({places.begin() + static_cast<std::ptrdiff_t>(begin),
                        places.begin() + static_cast<std::ptrdiff_t>(begin + at_once)},
                       timeout);
    }
  }
  record_count("H1_found", found);
}

// The other stages that train.
TEST_F(WatchdogTest, AStoppedRankOfAGraphOrABaselineIsNamed) {
  std::vector<StoppedRun> runs;
  runs.push_back(start(graph_run("graph"), "graph", "1:backward:40"));
  runs.push_back(start(baseline_run("baseline"), "baseline", "1:reduce:40"));
  EXPECT_EQ(expect_all_found(runs, 4.0), 2);
}

// The commands that write one file: their records go to its folder.
TEST_F(WatchdogTest, AStoppedRankOfAStageThatWritesAFileIsNamed) {
  std::string texts;
  for (int line = 0; line < 4000; ++line) {
    texts += "{\"text\": \"a good red film " + std::to_string(line) + "\"}\n";
  }
  std::vector<StoppedRun> runs;
  runs.push_back(start(model_run("infer", "infer", write_prompts("ask.jsonl", 4000, 4)), "infer",
                       "1:forward:9"));
  runs.push_back(
      start(model_run("embed", "embed", folder.put("texts.jsonl", texts)), "embed", "0:forward:9"));
  runs.push_back(start(align_run("align"), "align", "1:reduce:40"));
  EXPECT_EQ(expect_all_found(runs, 4.0), 3);
}

// H2.
TEST_F(WatchdogTest, AKilledRankEndsTheJobAndLeavesNobodyBehind) {
  const int kills = soak_count("H2_kills", 2, 50);
  for (int kill = 0; kill < kills; ++kill) {
    const std::string name = "killed" + std::to_string(kill);
    BackgroundProgram program(long_run(name, 20.0), variables(), folder.file(name + ".log"));
    ASSERT_TRUE(wait_until([&] { return !folder.get(name + "/metrics.jsonl").empty(); }, 60))
        << folder.get(name + ".log");
    const std::vector<pid_t> ranks = program.children();
    ASSERT_EQ(ranks.size(), 2U);
    const auto start = Clock::now();
    ::kill(ranks[static_cast<std::size_t>(kill % 2)], SIGKILL);
    EXPECT_NE(program.wait(), 0);
    const auto gone = [&] {
      return std::all_of(ranks.begin(), ranks.end(),
                         [](pid_t rank) { return state_of(rank) == '-' || state_of(rank) == 'Z'; });
    };
    EXPECT_TRUE(wait_until(gone, 10));
    EXPECT_LE(seconds_since(start), 10.0);
    record_event(R"({"test": "H2", "seconds": )" + std::to_string(seconds_since(start)) + "}");
  }
  record_count("H2_kills", kills);
}

// H4: a rank that runs for a fifth of the time.
TEST_F(WatchdogTest, ASlowRankIsNamedAndRaisesNoAlarm) {
  const int runs = soak_count("H4_runs", 1, 200);
  int named = 0;
  for (int run = 0; run < runs; ++run) {
    const std::string name = "slow" + std::to_string(run);
    BackgroundProgram program(long_steps(name), variables(), folder.file(name + ".log"));
    ASSERT_TRUE(wait_until([&] { return !folder.get(name + "/metrics.jsonl").empty(); }, 60))
        << folder.get(name + ".log");
    const std::vector<pid_t> ranks = program.children();
    ASSERT_EQ(ranks.size(), 2U);
    const auto start = Clock::now();
    const auto is_named = [&] {
      return folder.get(name + ".log").find("is slow") != std::string::npos;
    };
    while (seconds_since(start) < 6.0 || (!is_named() && seconds_since(start) < 60.0)) {
      ::kill(ranks[1], SIGSTOP);
      ::usleep(4000);
      ::kill(ranks[1], SIGCONT);
      ::usleep(1000);
    }
    EXPECT_TRUE(program.running()) << folder.get(name + ".log");
    named += is_named() && folder.get(name + ".log").find("rank 1 on") != std::string::npos ? 1 : 0;
    program.kill_all();
  }
  EXPECT_EQ(named, runs) << folder.get("slow0.log");
  record_count("H4_runs", runs);
}

}  // namespace
}  // namespace rallrec::testing
