#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/device.h"
#include "distributed/call_site.h"

namespace rallrec::distributed {

enum class DType { kUInt8, kInt32, kInt64, kFloat32, kFloat64 };
enum class ReduceOp { kSum, kMin, kMax };

std::size_t size_of(DType dtype);

// A collective under way. Buffers handed to the call belong to it until `wait` returns. Destroying
// a handle that was not waited for waits. Handles of one communicator complete in the order they
// were started.
class Handle {
 public:
  class Work {
   public:
    virtual ~Work() = default;
    // Blocks until done; throws what went wrong (Error with kPeerLost where a rank has ended).
    virtual void wait() = 0;
    virtual bool done() = 0;
    // Makes later work of `queue` wait. Host memory is there only once the host has waited.
    virtual void hold(const Queue& /*queue*/) { wait(); }
  };

  Handle() = default;  // nothing under way
  explicit Handle(std::shared_ptr<Work> work) : work_(std::move(work)) {}
  Handle(Handle&&) noexcept = default;
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();

  void wait();
  // Later work of `queue` waits for the collective. Where that needs no waiting host (device memory
  // and a CUDA queue) this returns at once, and the buffers belong to the collective until that
  // later work runs; what goes wrong is then thrown by the next call of the communicator. Otherwise
  // as wait(). The handle is empty afterwards.
  void hold(const Queue& queue);
  bool done() const { return work_ == nullptr || work_->done(); }

 private:
  std::shared_ptr<Work> work_;
};

struct Collective;

// A fixed group of ranks that call the same collectives in the same order with matching arguments.
// Pointers are host memory (device memory for NCCL's, see nccl_communicator.h). Counts are elements
// of `dtype`. Each collective comes in an asynchronous form; the blocking forms are
// `…_async(…).wait()`. A rank that ends by an error makes every other rank's pending call throw
// within seconds. `site` is for reports: leave it to its default.
//
// Sums of floats over ranks are taken in rank order, so a given size gives the same bits every
// time; for results that must not depend on the size use tree_reduction.h.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Starts a collective, as a value; all others below come here.
  virtual Handle call(Collective collective) = 0;

  // Throws what went wrong with collectives that were held (Handle::hold) and whose work the host
  // has waited for since: what was computed from them is then worthless. Those of host memory have
  // thrown by then.
  virtual void confirm() {}

  // Makes every pending and later collective of all ranks throw. Called when this rank fails.
  virtual void abort() noexcept = 0;

  // Bytes this rank has handed to collectives so far, counted as elements × size for the input
  // side.
  virtual std::uint64_t bytes_sent() const = 0;

  // In place: data[0, count) becomes the element-wise reduction over ranks.
  Handle all_reduce_async(void* data, std::size_t count, DType dtype, ReduceOp op,
                          CallSite site = CallSite::here());
  // output[r * count, …) = input of rank r. Input and output must not overlap.
  Handle all_gather_async(const void* input, void* output, std::size_t count, DType dtype,
                          CallSite site = CallSite::here());
  // output at displacement sum(counts[0..r)) = input of rank r, counts[r] elements; counts is the
  // same on all ranks.
  Handle all_gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                            DType dtype, CallSite site = CallSite::here());
  // output[0, count) = reduction over ranks of input[rank * count, …).
  Handle reduce_scatter_async(const void* input, void* output, std::size_t count, DType dtype,
                              ReduceOp op, CallSite site = CallSite::here());
  // output[r * count, …) = rank r's input[rank * count, …).
  Handle all_to_all_async(const void* input, void* output, std::size_t count, DType dtype,
                          CallSite site = CallSite::here());
  // Rank s sends send_counts[r] elements to r; packed in rank order on both sides.
  Handle all_to_all_v_async(const void* input, const std::vector<std::size_t>& send_counts,
                            void* output, const std::vector<std::size_t>& receive_counts,
                            DType dtype, CallSite site = CallSite::here());
  Handle broadcast_async(void* data, std::size_t count, DType dtype, int root,
                         CallSite site = CallSite::here());
  // On root: output at displacement sum(counts[0..r)) = input of rank r. Elsewhere output is
  // unused.
  Handle gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                        DType dtype, int root, CallSite site = CallSite::here());
  Handle barrier_async(CallSite site = CallSite::here());

  void all_reduce(void* data, std::size_t count, DType dtype, ReduceOp op = ReduceOp::kSum,
                  CallSite site = CallSite::here());
  void all_gather(const void* input, void* output, std::size_t count, DType dtype,
                  CallSite site = CallSite::here());
  void all_gather_v(const void* input, void* output, const std::vector<std::size_t>& counts,
                    DType dtype, CallSite site = CallSite::here());
  void reduce_scatter(const void* input, void* output, std::size_t count, DType dtype,
                      ReduceOp op = ReduceOp::kSum, CallSite site = CallSite::here());
  void all_to_all(const void* input, void* output, std::size_t count, DType dtype,
                  CallSite site = CallSite::here());
  void all_to_all_v(const void* input, const std::vector<std::size_t>& send_counts, void* output,
                    const std::vector<std::size_t>& receive_counts, DType dtype,
                    CallSite site = CallSite::here());
  void broadcast(void* data, std::size_t count, DType dtype, int root,
                 CallSite site = CallSite::here());
  void gather_v(const void* input, void* output, const std::vector<std::size_t>& counts,
                DType dtype, int root, CallSite site = CallSite::here());
  void barrier(CallSite site = CallSite::here());
};

// Gathers one byte string per rank on every rank, in rank order.
std::vector<std::string> all_gather_strings(Communicator& communicator, const std::string& mine,
                                            CallSite site = CallSite::here());
// The string of `root` on every rank.
std::string broadcast_string(Communicator& communicator, const std::string& mine, int root,
                             CallSite site = CallSite::here());

}  // namespace rallrec::distributed
