#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "distributed/collective.h"
#include "distributed/communicator.h"

namespace rallrec::distributed {

// What the communicators share: arguments are checked, counted and turned into a Collective,
// which is all that `start` sees. Wrong arguments throw Error (exit code 70) before anything is
// started.
class CollectiveCommunicator : public Communicator {
 public:
  Handle all_reduce_async(void* data, std::size_t count, DType dtype, ReduceOp op) override;
  Handle all_gather_async(const void* input, void* output, std::size_t count, DType dtype) override;
  Handle all_gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                            DType dtype) override;
  Handle reduce_scatter_async(const void* input, void* output, std::size_t count, DType dtype,
                              ReduceOp op) override;
  Handle all_to_all_async(const void* input, void* output, std::size_t count, DType dtype) override;
  Handle all_to_all_v_async(const void* input, const std::vector<std::size_t>& send_counts,
                            void* output, const std::vector<std::size_t>& receive_counts,
                            DType dtype) override;
  Handle broadcast_async(void* data, std::size_t count, DType dtype, int root) override;
  Handle gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                        DType dtype, int root) override;
  Handle barrier_async() override;
  std::uint64_t bytes_sent() const override { return bytes_sent_; }

 protected:
  // Starts the call; `call` is valid in itself and every counts vector has size() entries or none.
  virtual Handle start(Collective call) = 0;

 private:
  Handle launch(Collective call);
  void check_counts(const std::vector<std::size_t>& counts) const;
  void check_root(int root) const;

  std::atomic<std::uint64_t> bytes_sent_{0};
};

}  // namespace rallrec::distributed
