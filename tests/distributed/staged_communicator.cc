#include "tests/distributed/staged_communicator.h"

#include <numeric>
#include <utility>

namespace rallrec::distributed {
namespace {

using Bytes = CudaBuffer<unsigned char>;

Bytes upload(const void* data, std::size_t bytes) {
  Bytes buffer(bytes, "nothing");
  check_cuda(cudaMemcpy(buffer.get(), data, bytes, cudaMemcpyHostToDevice), "staging");
  return buffer;
}

class StagedWork : public Handle::Work {
 public:
  StagedWork(Handle inner, Bytes input, Bytes output, void* host)
      : inner_(std::move(inner)),
        input_(std::move(input)),
        output_(std::move(output)),
        host_(host) {}

  void wait() override {
    inner_.wait();
    if (output_.bytes() > 0) {
      check_cuda(cudaMemcpy(host_, output_.get(), output_.bytes(), cudaMemcpyDeviceToHost),
                 "staging");
    }
  }
  bool done() override { return inner_.done(); }

 private:
  Handle inner_;
  Bytes input_;
  Bytes output_;
  void* host_;
};

std::size_t sum(const std::vector<std::size_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

class StagedCommunicator : public Communicator {
 public:
  explicit StagedCommunicator(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  void abort() noexcept override { inner_.abort(); }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }
  Handle barrier_async() override { return inner_.barrier_async(); }

  Handle all_reduce_async(void* data, std::size_t count, DType dtype, ReduceOp op) override {
    return in_place(data, count * size_of(dtype), [&](void* device) {
      return inner_.all_reduce_async(device, count, dtype, op);
    });
  }
  Handle broadcast_async(void* data, std::size_t count, DType dtype, int root) override {
    return in_place(data, count * size_of(dtype), [&](void* device) {
      return inner_.broadcast_async(device, count, dtype, root);
    });
  }
  Handle all_gather_async(const void* input, void* output, std::size_t count,
                          DType dtype) override {
    return staged(
        input, count * size_of(dtype), output, count * size_of(dtype) * ranks(),
        [&](const void* in, void* out) { return inner_.all_gather_async(in, out, count, dtype); });
  }
  Handle all_gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                            DType dtype) override {
    return staged(input, mine(counts) * size_of(dtype), output, sum(counts) * size_of(dtype),
                  [&](const void* in, void* out) {
                    return inner_.all_gather_v_async(in, out, counts, dtype);
                  });
  }
  Handle reduce_scatter_async(const void* input, void* output, std::size_t count, DType dtype,
                              ReduceOp op) override {
    return staged(input, count * size_of(dtype) * ranks(), output, count * size_of(dtype),
                  [&](const void* in, void* out) {
                    return inner_.reduce_scatter_async(in, out, count, dtype, op);
                  });
  }
  Handle all_to_all_async(const void* input, void* output, std::size_t count,
                          DType dtype) override {
    const std::size_t bytes = count * size_of(dtype) * ranks();
    return staged(input, bytes, output, bytes, [&](const void* in, void* out) {
      return inner_.all_to_all_async(in, out, count, dtype);
    });
  }
  Handle all_to_all_v_async(const void* input, const std::vector<std::size_t>& send_counts,
                            void* output, const std::vector<std::size_t>& receive_counts,
                            DType dtype) override {
    return staged(input, sum(send_counts) * size_of(dtype), output,
                  sum(receive_counts) * size_of(dtype), [&](const void* in, void* out) {
                    return inner_.all_to_all_v_async(in, send_counts, out, receive_counts, dtype);
                  });
  }
  Handle gather_v_async(const void* input, void* output, const std::vector<std::size_t>& counts,
                        DType dtype, int root) override {
    const std::size_t received = rank() == root ? sum(counts) * size_of(dtype) : 0;
    return staged(input, mine(counts) * size_of(dtype), output, received,
                  [&](const void* in, void* out) {
                    return inner_.gather_v_async(in, out, counts, dtype, root);
                  });
  }

 private:
  std::size_t ranks() const { return static_cast<std::size_t>(size()); }
  std::size_t mine(const std::vector<std::size_t>& counts) const {
    const auto me = static_cast<std::size_t>(rank());
    return me < counts.size() ? counts[me] : 0;
  }

  template <typename Start>
  static Handle in_place(void* data, std::size_t bytes, const Start& start) {
    Bytes buffer = upload(data, bytes);
    Handle inner = start(buffer.get());
    return Handle(std::make_shared<StagedWork>(std::move(inner), Bytes(), std::move(buffer), data));
  }
  template <typename Start>
  static Handle staged(const void* input, std::size_t input_bytes, void* output,
                       std::size_t output_bytes, const Start& start) {
    Bytes in = upload(input, input_bytes);
    Bytes out(output_bytes, "nothing");
    Handle inner = start(in.get(), out.get());
    return Handle(
        std::make_shared<StagedWork>(std::move(inner), std::move(in), std::move(out), output));
  }

  Communicator& inner_;
};

}  // namespace

std::unique_ptr<Communicator> make_staged_communicator(Communicator& inner) {
  return std::make_unique<StagedCommunicator>(inner);
}

}  // namespace rallrec::distributed
