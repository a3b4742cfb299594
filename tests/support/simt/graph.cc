// Stream capture and graphs: the operation that replays one, and the functions of
// include/cuda_runtime.h.
#include "tests/support/simt/graph.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "cuda_runtime.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/report.h"

namespace rallrec::simt {

struct GraphInstance {
  std::shared_ptr<GraphState> graph;
};

namespace {

class GraphOperation : public Operation {
 public:
  explicit GraphOperation(std::shared_ptr<GraphState> graph)
      : graph_(std::move(graph)), under_way_(graph_->nodes.size()), done_(graph_->nodes.size()) {}
  ~GraphOperation() override {
    if (graph_->running == this) {
      graph_->running = nullptr;
    }
  }

  bool ready() override { return graph_->running == nullptr || graph_->running == this; }

  bool step(Random& random) override {
    graph_->running = this;
    const auto able = able_nodes();
    if (able.empty()) {
      return true;
    }
    const std::size_t node = able[random.below(able.size())];
    if (under_way_[node] == nullptr) {
      under_way_[node] = graph_->nodes[node].prototype->again();
    }
    done_[node] = under_way_[node]->step(random);
    return std::all_of(done_.begin(), done_.end(), [](bool done) { return done; });
  }

 private:
  std::vector<std::size_t> able_nodes() const {
    std::vector<std::size_t> able;
    for (std::size_t node = 0; node < done_.size(); ++node) {
      const auto& after = graph_->nodes[node].after;
      if (!done_[node] &&
          std::all_of(after.begin(), after.end(), [&](std::size_t n) { return done_[n]; })) {
        able.push_back(node);
      }
    }
    return able;
  }

  std::shared_ptr<GraphState> graph_;
  std::vector<std::unique_ptr<Operation>> under_way_;
  std::vector<bool> done_;
};

struct Graphs {
  std::mutex mutex;
  std::map<const GraphState*, std::shared_ptr<GraphState>> captured;
  std::map<const GraphInstance*, std::unique_ptr<GraphInstance>> instances;
};

Graphs& graphs() {
  static auto& shared = *new Graphs;
  return shared;
}

thread_local int captures = 0;

}  // namespace

GraphState::Memory::~Memory() { release(MemoryKind::kDevice, address); }

std::unique_ptr<Operation> graph_operation(std::shared_ptr<GraphState> graph) {
  return std::make_unique<GraphOperation>(std::move(graph));
}

bool this_thread_captures() { return captures > 0; }

std::string drop_graphs() {
  const std::lock_guard<std::mutex> lock(graphs().mutex);
  const std::size_t alive = graphs().captured.size() + graphs().instances.size();
  graphs().captured.clear();
  graphs().instances.clear();
  captures = 0;
  return alive > 0 ? std::to_string(alive) + " graphs " : "";
}

}  // namespace rallrec::simt

using rallrec::simt::Device;
using rallrec::simt::GraphState;

namespace {

cudaError_t state() {
  return rallrec::simt::first_report().empty() ? cudaSuccess : cudaErrorLaunchFailure;
}

cudaError_t misuse(const std::string& text) {
  rallrec::simt::report(text);
  return cudaErrorInvalidValue;
}

}  // namespace

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  const std::string problem = Device::instance().begin_capture(stream);
  if (!problem.empty()) {
    return misuse(problem);
  }
  ++rallrec::simt::captures;
  return state();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  std::shared_ptr<GraphState> captured;
  const std::string problem = Device::instance().end_capture(stream, captured);
  rallrec::simt::captures -= rallrec::simt::captures > 0 ? 1 : 0;
  *graph = nullptr;
  if (!problem.empty()) {
    return misuse(problem);
  }
  const std::lock_guard<std::mutex> lock(rallrec::simt::graphs().mutex);
  *graph = captured.get();
  rallrec::simt::graphs().captured[captured.get()] = captured;
  return state();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* instance, cudaGraph_t graph, unsigned long long) {
  const std::lock_guard<std::mutex> lock(rallrec::simt::graphs().mutex);
  const auto found = rallrec::simt::graphs().captured.find(graph);
  if (found == rallrec::simt::graphs().captured.end()) {
    return misuse("cudaGraphInstantiate of a graph that does not exist");
  }
  auto made = std::make_unique<rallrec::simt::GraphInstance>();
  made->graph = found->second;
  *instance = made.get();
  rallrec::simt::graphs().instances[*instance] = std::move(made);
  return state();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t instance, cudaStream_t stream) {
  std::shared_ptr<GraphState> graph;
  {
    const std::lock_guard<std::mutex> lock(rallrec::simt::graphs().mutex);
    const auto found = rallrec::simt::graphs().instances.find(instance);
    if (found == rallrec::simt::graphs().instances.end()) {
      return misuse("cudaGraphLaunch of a graph that does not exist");
    }
    graph = found->second->graph;
  }
  if (!Device::instance().enqueue(stream, rallrec::simt::graph_operation(std::move(graph)))) {
    return misuse("cudaGraphLaunch on a stream that does not exist");
  }
  return state();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const std::lock_guard<std::mutex> lock(rallrec::simt::graphs().mutex);
  return rallrec::simt::graphs().captured.erase(graph) > 0
             ? state()
             : misuse("cudaGraphDestroy of a graph that does not exist");
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t instance) {
  const std::lock_guard<std::mutex> lock(rallrec::simt::graphs().mutex);
  return rallrec::simt::graphs().instances.erase(instance) > 0
             ? state()
             : misuse("cudaGraphExecDestroy of a graph that does not exist");
}
