#pragma once

#include <vector>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// Another communicator, which must outlive it, unchanged. For classes that change one operation.
class ForwardingCommunicator : public Communicator {
 public:
  explicit ForwardingCommunicator(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  Handle all_gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                            DType dtype) override {
    return inner_.all_gather_v_async(input, output, counts, dtype);
  }
  Handle all_reduce_async(void* data, std::size_t count, DType dtype, ReduceOp op) override {
    return inner_.all_reduce_async(data, count, dtype, op);
  }
  Handle all_gather_async(const void* input, void* output, std::size_t count,
                          DType dtype) override {
    return inner_.all_gather_async(input, output, count, dtype);
  }
  Handle reduce_scatter_async(const void* input, void* output, std::size_t count, DType dtype,
                              ReduceOp op) override {
    return inner_.reduce_scatter_async(input, output, count, dtype, op);
  }
  Handle all_to_all_async(const void* input, void* output, std::size_t count,
                          DType dtype) override {
    return inner_.all_to_all_async(input, output, count, dtype);
  }
  Handle all_to_all_v_async(const void* input, const std::vector<std::size_t>& send_counts,
                            void* output, const std::vector<std::size_t>& receive_counts,
                            DType dtype) override {
    return inner_.all_to_all_v_async(input, send_counts, output, receive_counts, dtype);
  }
  Handle broadcast_async(void* data, std::size_t count, DType dtype, int root) override {
    return inner_.broadcast_async(data, count, dtype, root);
  }
  Handle gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                        DType dtype, int root) override {
    return inner_.gather_v_async(input, output, counts, dtype, root);
  }
  Handle barrier_async() override { return inner_.barrier_async(); }
  void abort() noexcept override { inner_.abort(); }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }

 protected:
  Communicator& inner() { return inner_; }

 private:
  Communicator& inner_;
};

}  // namespace rallrec::distributed
