#include "tests/distributed/staged_communicator.h"

#include <numeric>
#include <utility>

#include "distributed/collective.h"

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

  Handle call(Collective collective) override {
    if (collective.kind == CollectiveKind::kBarrier) {
      return inner_.call(std::move(collective));
    }
    check(collective, rank(), size());
    const bool in_place = collective.input == collective.output;
    const std::size_t received = output_bytes(collective);
    void* const host = collective.output;
    Bytes in = in_place ? Bytes() : upload(collective.input, sent_bytes(collective));
    Bytes out = in_place ? upload(host, received) : Bytes(received, "nothing");
    collective.input = in_place ? out.get() : in.get();
    collective.output = out.get();
    Handle inner = inner_.call(std::move(collective));
    return Handle(
        std::make_shared<StagedWork>(std::move(inner), std::move(in), std::move(out), host));
  }

 private:
  std::size_t sent_bytes(const Collective& call) const { return input_bytes(call, rank(), size()); }
  // What the caller's output holds; a rank that receives nothing has none.
  std::size_t output_bytes(const Collective& call) const {
    const auto ranks = static_cast<std::size_t>(size());
    std::size_t elements = sum(call.receive_counts);
    if (call.kind == CollectiveKind::kGatherV && rank() != call.root) {
      elements = 0;
    }
    const bool of_all =
        call.kind == CollectiveKind::kAllGather || call.kind == CollectiveKind::kAllToAll;
    elements += of_all ? call.count * ranks : call.count;
    return elements * size_of(call.dtype);
  }

  Communicator& inner_;
};

}  // namespace

std::unique_ptr<Communicator> make_staged_communicator(Communicator& inner) {
  return std::make_unique<StagedCommunicator>(inner);
}

}  // namespace rallrec::distributed
