#include "distributed/communicator.h"

#include <cstdint>

namespace rallrec::distributed {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kUInt8:
      return 1;
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kInt64:
    case DType::kFloat64:
      return 8;
  }
  return 0;
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    Handle previous(std::move(*this));
    work_ = std::move(other.work_);
  }
  return *this;
}

Handle::~Handle() {
  try {
    wait();
  } catch (...) {
    // Whoever drops a handle during unwinding is already reporting an error; the group is lost
    // anyway.
  }
}

void Handle::wait() {
  if (work_ != nullptr) {
    const std::shared_ptr<Work> work = std::move(work_);
    work_ = nullptr;
    work->wait();
  }
}

void Handle::hold(const Queue& queue) {
  if (work_ != nullptr) {
    const std::shared_ptr<Work> work = std::move(work_);
    work_ = nullptr;
    work->hold(queue);
  }
}

void Communicator::all_reduce(void* data, std::size_t count, DType dtype, ReduceOp op) {
  all_reduce_async(data, count, dtype, op).wait();
}

void Communicator::all_gather(const void* input, void* output, std::size_t count, DType dtype) {
  all_gather_async(input, output, count, dtype).wait();
}

void Communicator::all_gather_v(const void* input, void* output,
                                const std::vector<std::size_t>& counts, DType dtype) {
  all_gather_v_async(input, output, counts, dtype).wait();
}

void Communicator::reduce_scatter(const void* input, void* output, std::size_t count, DType dtype,
                                  ReduceOp op) {
  reduce_scatter_async(input, output, count, dtype, op).wait();
}

void Communicator::all_to_all(const void* input, void* output, std::size_t count, DType dtype) {
  all_to_all_async(input, output, count, dtype).wait();
}

void Communicator::all_to_all_v(const void* input, const std::vector<std::size_t>& send_counts,
                                void* output, const std::vector<std::size_t>& receive_counts,
                                DType dtype) {
  all_to_all_v_async(input, send_counts, output, receive_counts, dtype).wait();
}

void Communicator::broadcast(void* data, std::size_t count, DType dtype, int root) {
  broadcast_async(data, count, dtype, root).wait();
}

void Communicator::gather_v(const void* input, void* output, const std::vector<std::size_t>& counts,
                            DType dtype, int root) {
  gather_v_async(input, output, counts, dtype, root).wait();
}

void Communicator::barrier() { barrier_async().wait(); }

std::vector<std::string> all_gather_strings(Communicator& communicator, const std::string& mine) {
  const auto size = static_cast<std::size_t>(communicator.size());
  const auto length = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> lengths(size);
  communicator.all_gather(&length, lengths.data(), 1, DType::kInt64);

  const std::vector<std::size_t> counts(lengths.begin(), lengths.end());
  std::size_t total = 0;
  for (const std::size_t count : counts) {
    total += count;
  }
  std::string all(total, '\0');
  communicator.all_gather_v(mine.data(), all.data(), counts, DType::kUInt8);

  std::vector<std::string> strings;
  std::size_t offset = 0;
  for (const std::size_t count : counts) {
    strings.push_back(all.substr(offset, count));
    offset += count;
  }
  return strings;
}

std::string broadcast_string(Communicator& communicator, const std::string& mine, int root) {
  std::string text = communicator.rank() == root ? mine : std::string();
  auto length = static_cast<std::int64_t>(text.size());
  communicator.broadcast(&length, 1, DType::kInt64, root);
  text.resize(static_cast<std::size_t>(length));
  communicator.broadcast(text.data(), text.size(), DType::kUInt8, root);
  return text;
}

}  // namespace rallrec::distributed
