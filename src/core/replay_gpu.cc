#include "core/cuda_handle.h"
#include "core/launch.h"
#include "core/replay.h"

namespace rallrec::detail {
namespace {

// A recorded sequence, which is needed until it has been instantiated.
class CapturedGraph {
 public:
  // Other threads may do as they like meanwhile.
  CapturedGraph(cudaStream_t stream, const std::function<void()>& work) {
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
               "beginning to capture a CUDA graph");
    try {
      work();
    } catch (...) {
      cudaGraph_t dropped = nullptr;
      if (cudaStreamEndCapture(stream, &dropped) == cudaSuccess) {
        cudaGraphDestroy(dropped);
      }
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream, &graph_), "capturing a CUDA graph");
  }
  ~CapturedGraph() { cudaGraphDestroy(graph_); }
  CapturedGraph(const CapturedGraph&) = delete;
  CapturedGraph& operator=(const CapturedGraph&) = delete;

  cudaGraph_t get() const { return graph_; }

 private:
  cudaGraph_t graph_ = nullptr;
};

// What can be started. Released, it goes on where it is under way.
class GraphInstance : public Replay::Graph {
 public:
  explicit GraphInstance(const CapturedGraph& graph) {
    check_cuda(cudaGraphInstantiate(&instance_, graph.get(), 0), "instantiating a CUDA graph");
  }
  ~GraphInstance() override { cudaGraphExecDestroy(instance_); }
  GraphInstance(const GraphInstance&) = delete;
  GraphInstance& operator=(const GraphInstance&) = delete;

  void start(const Queue& queue) override {
    check_cuda(cudaGraphLaunch(instance_, stream_of(queue)), "starting a CUDA graph");
  }

 private:
  cudaGraphExec_t instance_ = nullptr;
};

}  // namespace

std::unique_ptr<Replay::Graph> capture_gpu(const Queue& queue, const std::function<void()>& work) {
  return std::make_unique<GraphInstance>(CapturedGraph(stream_of(queue), work));
}

}  // namespace rallrec::detail
