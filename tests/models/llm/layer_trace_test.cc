#include "models/llm/layer_trace.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "distributed/thread_communicator.h"
#include "tests/models/llm/tiny_model.h"

namespace rallrec::models::llm {
namespace {

using Json = nlohmann::json;

MicroBatch one_prompt() {
  MicroBatch made;
  made.batch = pack({random_ids(20, 53, 1)});
  made.samples = {0};
  made.label_positions = {18};
  made.label_ids = {7};
  return made;
}

TEST(LayerTrace, ShowsEveryGatherAndItsComputingWithoutChangingABit) {
  const TinyModel tiny = make_tiny(tiny_config());
  const LoraAdapter adapter = make_adapter(tiny.config, {4, 8, 0.1, {"q_proj", "v_proj"}});
  const auto plain =
      tiny.load(QuantMode::kW8a8)->forward_backward({one_prompt()}, adapter, {1, 2}, 1.0);
  std::vector<std::string> events;
  std::int64_t gathered = 0;
  distributed::run_thread_ranks(2, [&](distributed::Communicator& communicator) {
    LayerTrace trace(communicator.rank());
    LlamaCausalLm model(tiny.config, trace_layers(make_weights(tiny.config, QuantMode::kW8a8,
                                                               tiny.source(), {}, &communicator),
                                                  trace));
    const auto result = model.forward_backward({one_prompt()}, adapter, {1, 2}, 1.0);
    EXPECT_TRUE(at::equal(result[0].gradient, plain[0].gradient));
    // A second step, in which the first two layers are still at hand; its end closes the last span.
    model.forward_backward({one_prompt()}, adapter, {1, 2}, 1.0);
    model.hidden_states(one_prompt().batch, nullptr);
    const auto all = distributed::all_gather_strings(communicator, trace.events());
    if (communicator.rank() == 0) {
      events = all;
      gathered = model.gathered().layers;
    }
  });
  const Json file = Json::parse(trace_file_text(events));
  std::map<std::string, int> names;
  std::map<std::string, double> first_begin;
  for (const Json& event : file.at("traceEvents")) {
    if (event.at("pid") != 0 || event.at("ph") != "X") {
      continue;
    }
    const auto name = event.at("name").get<std::string>();
    ++names[name];
    first_begin.emplace(name, event.at("ts").get<double>());
    EXPECT_GE(event.at("dur").get<double>(), 0.0);
  }
  int gathers = 0;
  int waits = 0;
  for (const auto& [name, count] : names) {
    gathers += name.rfind("gather", 0) == 0 ? count : 0;
    waits += name.rfind("wait", 0) == 0 ? count : 0;
  }
  // All but the last, which brings layer 0 for a pass that does not come.
  EXPECT_EQ(gathers, gathered - 1);
  EXPECT_EQ(waits, gathered - 1);
  EXPECT_EQ(names["compute L1"], 5);  // forward and backward twice, and forward
  EXPECT_EQ(names["compute head"], 2);
  // The overlap: layer 2 is on its way when layer 1 begins to compute.
  EXPECT_LE(first_begin.at("gather L2"), first_begin.at("compute L1"));
}

TEST(LayerTrace, KeepsToItsNumberOfSpans) {
  LayerTrace trace(0, 2);
  for (int i = 0; i < 5; ++i) {
    trace.add(LayerTrace::Row::kCompute, i, 0.5, 1.0);
  }
  const Json file = Json::parse(trace_file_text({trace.events(), ""}));
  EXPECT_EQ(file.at("traceEvents").size(), 2U + 2U * 3U);
  EXPECT_EQ(file.at("traceEvents")[3].at("ts"), 500000.0);
}

}  // namespace
}  // namespace rallrec::models::llm
