#include "distributed/flight_record.h"

#include <gtest/gtest.h>

#include <thread>

#include "distributed/flight_marks.h"
#include "distributed/thread_communicator.h"

namespace rallrec::distributed {
namespace {

TEST(FlightRecord, HoldsTheLastThousandEventsInOrder) {
  FlightRecord record;
  EXPECT_EQ(record.newest().number, 0U);
  EXPECT_TRUE(record.events().empty());
  record.stage("tune");
  for (std::int64_t step = 1; step <= 1499; ++step) {
    record.step(step);
  }
  const auto events = record.events();
  ASSERT_EQ(events.size(), FlightRecord::kCapacity);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].number, 501 + i);
    EXPECT_EQ(events[i].step, static_cast<std::int64_t>(500 + i));
    EXPECT_STREQ(events[i].stage.data(), "tune");
    EXPECT_TRUE(i == 0 || events[i].nanoseconds >= events[i - 1].nanoseconds);
  }
  EXPECT_EQ(record.newest().step, 1499);
}

TEST(FlightRecord, AScopeKeepsItsPhaseWhateverItsPartsSay) {
  FlightRecord record;
  const FlightOfThread of_thread(record);
  mark_stage("light_gcn_and_a_long_name");
  mark_phase(Phase::kForward, 3);
  {
    const PhaseScope scope(Phase::kEvaluation);
    EXPECT_EQ(record.newest().layer, -1);
    mark_phase(Phase::kForward, 5);
    EXPECT_EQ(record.newest().phase, Phase::kEvaluation);
    EXPECT_EQ(record.newest().layer, 5);
  }
  EXPECT_EQ(record.newest().phase, Phase::kForward);
  EXPECT_EQ(place_text(record.newest()), "light_gcn_and_a, forward, layer 3");
}

TEST(FlightRecord, AReaderGetsNoTornEvent) {
  FlightRecord record;
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::int64_t i = 1; !stop; ++i) {
      record.step(i);
      record.phase(Phase::kForward, static_cast<std::int32_t>(i % 1000000));
    }
  });
  std::int64_t seen = 0;
  std::uint64_t last = 0;
  while (seen < 200000) {
    for (const FlightEvent& event : record.events()) {
      if (event.kind == FlightKind::kLayer) {
        EXPECT_EQ(event.step % 1000000, event.layer);
        EXPECT_EQ(event.number, static_cast<std::uint64_t>(2 * event.step));
      }
      ++seen;
    }
    const FlightEvent newest = record.newest();
    EXPECT_GE(newest.number, last);
    last = newest.number;
  }
  stop = true;
  writer.join();
}

TEST(FlightRecord, TellsCollectivesAndTheTimeInThem) {
  run_thread_ranks(2, [](Communicator& group) {
    FlightRecord record;
    const FlightOfThread of_thread(record);
    mark_stage("tune");
    group.barrier();
    std::vector<double> data(12, 1.0);
    if (group.rank() == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    }
    const int line = __LINE__ + 1;
    group.all_reduce(data.data(), data.size(), DType::kFloat64);
    const auto events = record.events();
    ASSERT_EQ(events.size(), 7U);
    EXPECT_EQ(events[4].kind, FlightKind::kCall);
    EXPECT_EQ(events[5].kind, FlightKind::kWait);
    EXPECT_EQ(events[6].kind, FlightKind::kDone);
    EXPECT_EQ(call_text(events[6].call), "all_reduce of 12 x float64 at flight_record_test.cc:" +
                                             std::to_string(line) + " (collective 2)");
    EXPECT_EQ(record.calls(), 2U);
    group.all_reduce_async(data.data(), data.size(), DType::kFloat64, ReduceOp::kSum).hold(Queue{});
    const auto after_hold = record.events();
    ASSERT_EQ(after_hold.size(), 10U);
    EXPECT_EQ(after_hold[8].kind, FlightKind::kWait);
    const double waited = static_cast<double>(record.waited_nanoseconds()) * 1e-9;
    if (group.rank() == 0) {
      EXPECT_GT(waited, 0.2);
    } else {
      EXPECT_LT(waited, 0.2);
    }
  });
}

TEST(FlightRecord, WithoutOneMarksDoNothing) {
  EXPECT_EQ(current_flight(), nullptr);
  mark_stage("tune");
  mark_phase(Phase::kForward, 1);
  const PhaseScope scope(Phase::kLoad);
}

}  // namespace
}  // namespace rallrec::distributed
