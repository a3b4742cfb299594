#include "tests/distributed/communicator_contract.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>

namespace rallrec::distributed {
namespace {

template <typename T>
constexpr DType kType = DType::kUInt8;
template <>
constexpr DType kType<std::int32_t> = DType::kInt32;
template <>
constexpr DType kType<std::int64_t> = DType::kInt64;
template <>
constexpr DType kType<float> = DType::kFloat32;
template <>
constexpr DType kType<double> = DType::kFloat64;

// 20000 floats are more than what an all_reduce does in one exchange.
const std::vector<std::size_t> kCounts = {0, 1, 3, 257, 20000};

// Element i of what rank `from` contributes (to rank `to`). Below 60, so that four uint8 do not
// wrap.
template <typename T>
T value(int from, std::size_t i, int to = 0) {
  const auto mixed =
      static_cast<std::size_t>(from) * 31 + static_cast<std::size_t>(to) * 17 + i * 7;
  return static_cast<T>(mixed % 59 + 1);
}

template <typename T>
std::vector<T> values(int from, std::size_t count) {
  std::vector<T> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = value<T>(from, i);
  }
  return all;
}

template <typename T>
T reduced(ReduceOp op, int size, std::size_t i) {
  T result = value<T>(0, i);
  for (int rank = 1; rank < size; ++rank) {
    const T next = value<T>(rank, i);
    result = op == ReduceOp::kSum   ? static_cast<T>(result + next)
             : op == ReduceOp::kMin ? std::min(result, next)
                                    : std::max(result, next);
  }
  return result;
}

constexpr ReduceOp kOps[] = {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax};

template <typename T>
void all_reduce_case(Communicator& group) {
  for (const std::size_t count : kCounts) {
    for (const ReduceOp op : kOps) {
      std::vector<T> data = values<T>(group.rank(), count);
      group.all_reduce(data.data(), count, kType<T>, op);
      std::vector<T> expected(count);
      for (std::size_t i = 0; i < count; ++i) {
        expected[i] = reduced<T>(op, group.size(), i);
      }
      EXPECT_EQ(data, expected) << count;
    }
  }
}

template <typename T>
void reduce_scatter_case(Communicator& group) {
  const auto size = static_cast<std::size_t>(group.size());
  for (const std::size_t count : kCounts) {
    for (const ReduceOp op : kOps) {
      const std::vector<T> input = values<T>(group.rank(), count * size);
      std::vector<T> output(count);
      group.reduce_scatter(input.data(), output.data(), count, kType<T>, op);
      std::vector<T> expected(count);
      for (std::size_t i = 0; i < count; ++i) {
        expected[i] =
            reduced<T>(op, group.size(), static_cast<std::size_t>(group.rank()) * count + i);
      }
      EXPECT_EQ(output, expected) << count;
    }
  }
}

template <typename T>
void all_gather_case(Communicator& group) {
  for (const std::size_t count : kCounts) {
    const std::vector<T> input = values<T>(group.rank(), count);
    std::vector<T> output(count * static_cast<std::size_t>(group.size()));
    group.all_gather(input.data(), output.data(), count, kType<T>);
    std::vector<T> expected;
    for (int rank = 0; rank < group.size(); ++rank) {
      const std::vector<T> theirs = values<T>(rank, count);
      expected.insert(expected.end(), theirs.begin(), theirs.end());
    }
    EXPECT_EQ(output, expected) << count;
  }
}

// Ragged counts with a rank that has nothing.
std::vector<std::size_t> ragged_counts(int size, std::size_t scale) {
  std::vector<std::size_t> counts;
  for (int rank = 0; rank < size; ++rank) {
    counts.push_back(static_cast<std::size_t>((rank + 2) % 3) * scale + (rank == 3 ? 1 : 0));
  }
  return counts;
}

template <typename T>
std::vector<T> gathered(const std::vector<std::size_t>& counts) {
  std::vector<T> all;
  for (std::size_t rank = 0; rank < counts.size(); ++rank) {
    const std::vector<T> theirs = values<T>(static_cast<int>(rank), counts[rank]);
    all.insert(all.end(), theirs.begin(), theirs.end());
  }
  return all;
}

template <typename T>
void all_gather_v_case(Communicator& group) {
  for (const std::size_t scale : kCounts) {
    const std::vector<std::size_t> counts = ragged_counts(group.size(), scale);
    const std::vector<T> input =
        values<T>(group.rank(), counts[static_cast<std::size_t>(group.rank())]);
    const std::vector<T> expected = gathered<T>(counts);
    std::vector<T> output(expected.size());
    group.all_gather_v(input.data(), output.data(), counts, kType<T>);
    EXPECT_EQ(output, expected) << scale;
  }
}

template <typename T>
void gather_v_case(Communicator& group) {
  for (int root = 0; root < group.size(); ++root) {
    for (const std::size_t scale : kCounts) {
      const std::vector<std::size_t> counts = ragged_counts(group.size(), scale);
      const std::vector<T> input =
          values<T>(group.rank(), counts[static_cast<std::size_t>(group.rank())]);
      std::vector<T> expected;
      if (group.rank() == root) {
        expected = gathered<T>(counts);
      }
      std::vector<T> output(expected.size());
      group.gather_v(input.data(), group.rank() == root ? output.data() : nullptr, counts, kType<T>,
                     root);
      EXPECT_EQ(output, expected) << scale;
    }
  }
}

template <typename T>
void all_to_all_case(Communicator& group) {
  for (const std::size_t count : kCounts) {
    std::vector<T> input;
    std::vector<T> expected;
    for (int peer = 0; peer < group.size(); ++peer) {
      for (std::size_t i = 0; i < count; ++i) {
        input.push_back(value<T>(group.rank(), i, peer));
        expected.push_back(value<T>(peer, i, group.rank()));
      }
    }
    std::vector<T> output(expected.size());
    group.all_to_all(input.data(), output.data(), count, kType<T>);
    EXPECT_EQ(output, expected) << count;
  }
}

template <typename T>
void all_to_all_v_case(Communicator& group) {
  for (const std::size_t scale : kCounts) {
    const auto pair_count = [scale](int from, int to) {
      return static_cast<std::size_t>((from * 2 + to) % 3) * scale;
    };
    std::vector<std::size_t> send_counts;
    std::vector<std::size_t> receive_counts;
    std::vector<T> input;
    std::vector<T> expected;
    for (int peer = 0; peer < group.size(); ++peer) {
      send_counts.push_back(pair_count(group.rank(), peer));
      receive_counts.push_back(pair_count(peer, group.rank()));
      for (std::size_t i = 0; i < send_counts.back(); ++i) {
        input.push_back(value<T>(group.rank(), i, peer));
      }
      for (std::size_t i = 0; i < receive_counts.back(); ++i) {
        expected.push_back(value<T>(peer, i, group.rank()));
      }
    }
    std::vector<T> output(expected.size());
    group.all_to_all_v(input.data(), send_counts, output.data(), receive_counts, kType<T>);
    EXPECT_EQ(output, expected) << scale;
  }
}

template <typename T>
void broadcast_case(Communicator& group) {
  for (int root = 0; root < group.size(); ++root) {
    for (const std::size_t count : kCounts) {
      std::vector<T> data = values<T>(group.rank(), count);
      group.broadcast(data.data(), count, kType<T>, root);
      EXPECT_EQ(data, values<T>(root, count)) << count;
    }
  }
}

// Numbers whose sum depends on the order: the result must be that of ((x0 + x1) + x2) + …
void float_sum_in_rank_order(Communicator& group) {
  for (const std::size_t count : {std::size_t{5}, std::size_t{20001}}) {
    const auto element = [](int rank, std::size_t i) {
      const float large = static_cast<float>(i % 7 + 1) * 1e8F;
      return rank % 2 == 0 ? large : 1.0F / static_cast<float>(i % 11 + 3) - large;
    };
    std::vector<float> data(count);
    std::vector<float> expected(count);
    for (std::size_t i = 0; i < count; ++i) {
      data[i] = element(group.rank(), i);
      expected[i] = element(0, i);
      for (int rank = 1; rank < group.size(); ++rank) {
        expected[i] += element(rank, i);
      }
    }
    group.all_reduce(data.data(), count, DType::kFloat32);
    EXPECT_EQ(std::memcmp(data.data(), expected.data(), count * sizeof(float)), 0);
  }
}

void nan_survives_min_and_max(Communicator& group) {
  for (int owner = 0; owner < group.size(); ++owner) {
    for (const ReduceOp op : {ReduceOp::kMin, ReduceOp::kMax}) {
      double data = group.rank() == owner ? std::numeric_limits<double>::quiet_NaN() : group.rank();
      group.all_reduce(&data, 1, DType::kFloat64, op);
      EXPECT_TRUE(std::isnan(data));
    }
  }
}

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// The ranks of a test run on one host, so their steady clocks agree.
void barrier_waits_for_all(Communicator& group) {
  for (int slow = 0; slow < group.size(); ++slow) {
    group.barrier();
    if (group.rank() == slow) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::int64_t last_entry = now_ns();
    group.barrier();
    std::int64_t first_exit = now_ns();
    group.all_reduce(&last_entry, 1, DType::kInt64, ReduceOp::kMax);
    group.all_reduce(&first_exit, 1, DType::kInt64, ReduceOp::kMin);
    EXPECT_GE(first_exit, last_entry);
  }
}

void several_under_way(Communicator& group) {
  std::vector<std::int64_t> sum = values<std::int64_t>(group.rank(), 9000);
  std::vector<float> text = values<float>(group.rank(), 300);
  std::vector<float> gathered_text(300 * static_cast<std::size_t>(group.size()));
  std::int32_t flag = group.rank();
  Handle first = group.all_reduce_async(sum.data(), sum.size(), DType::kInt64, ReduceOp::kSum);
  Handle second = group.all_gather_async(text.data(), gathered_text.data(), 300, DType::kFloat32);
  Handle third = group.all_reduce_async(&flag, 1, DType::kInt32, ReduceOp::kMax);
  while (!third.done()) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(first.done());
  third.wait();
  second.wait();
  first.wait();
  first.wait();
  EXPECT_EQ(flag, group.size() - 1);
  EXPECT_EQ(sum[8999], reduced<std::int64_t>(ReduceOp::kSum, group.size(), 8999));
  EXPECT_EQ(gathered_text.back(), value<float>(group.size() - 1, 299));
}

// A handle that is dropped, or that is given other work, finishes its own first.
void dropped_handles_wait(Communicator& group) {
  std::int64_t a = 1;
  std::int64_t b = 10;
  {
    Handle handle = group.all_reduce_async(&a, 1, DType::kInt64, ReduceOp::kSum);
    handle = group.all_reduce_async(&b, 1, DType::kInt64, ReduceOp::kSum);
    EXPECT_EQ(a, group.size());
  }
  EXPECT_EQ(b, 10 * group.size());
}

void counts_bytes(Communicator& group) {
  const auto size = static_cast<std::uint64_t>(group.size());
  std::vector<double> data(10 * size);
  std::vector<double> output(10 * size);
  const std::uint64_t start = group.bytes_sent();
  group.all_reduce(data.data(), 5, DType::kFloat64);
  EXPECT_EQ(group.bytes_sent() - start, 40U);
  group.reduce_scatter(data.data(), output.data(), 10, DType::kFloat64);
  EXPECT_EQ(group.bytes_sent() - start, 40 + 80 * size);
  group.broadcast(data.data(), 3, DType::kFloat64, 0);
  EXPECT_EQ(group.bytes_sent() - start, 40 + 80 * size + (group.rank() == 0 ? 24 : 0));
}

void strings(Communicator& group) {
  const auto text = [](int rank) {
    return rank == 1 ? std::string()
                     : std::string(static_cast<std::size_t>(rank) * 1000 + 1, 'a') + '\0' + "z";
  };
  const std::vector<std::string> all = all_gather_strings(group, text(group.rank()));
  ASSERT_EQ(all.size(), static_cast<std::size_t>(group.size()));
  for (int rank = 0; rank < group.size(); ++rank) {
    EXPECT_EQ(all[static_cast<std::size_t>(rank)], text(rank));
    EXPECT_EQ(broadcast_string(group, text(group.rank()), rank), text(rank));
  }
}

void rejects_wrong_arguments(Communicator& group) {
  std::int64_t data = 0;
  EXPECT_THROW(group.broadcast(&data, 1, DType::kInt64, group.size()), std::runtime_error);
  EXPECT_THROW(group.all_gather_v(&data, &data, {}, DType::kInt64), std::runtime_error);
}

}  // namespace

const std::vector<ContractCase>& contract_cases() {
  static const std::vector<ContractCase> cases = {
      {"all_reduce_uint8", all_reduce_case<std::uint8_t>},
      {"all_reduce_int32", all_reduce_case<std::int32_t>},
      {"all_reduce_int64", all_reduce_case<std::int64_t>},
      {"all_reduce_float32", all_reduce_case<float>},
      {"all_reduce_float64", all_reduce_case<double>},
      {"reduce_scatter_uint8", reduce_scatter_case<std::uint8_t>},
      {"reduce_scatter_int64", reduce_scatter_case<std::int64_t>},
      {"reduce_scatter_float32", reduce_scatter_case<float>},
      {"all_gather_uint8", all_gather_case<std::uint8_t>},
      {"all_gather_int64", all_gather_case<std::int64_t>},
      {"all_gather_float32", all_gather_case<float>},
      {"all_gather_v_uint8", all_gather_v_case<std::uint8_t>},
      {"all_gather_v_int64", all_gather_v_case<std::int64_t>},
      {"all_gather_v_float32", all_gather_v_case<float>},
      {"gather_v_uint8", gather_v_case<std::uint8_t>},
      {"gather_v_int64", gather_v_case<std::int64_t>},
      {"gather_v_float32", gather_v_case<float>},
      {"all_to_all_uint8", all_to_all_case<std::uint8_t>},
      {"all_to_all_int64", all_to_all_case<std::int64_t>},
      {"all_to_all_float32", all_to_all_case<float>},
      {"all_to_all_v_uint8", all_to_all_v_case<std::uint8_t>},
      {"all_to_all_v_int32", all_to_all_v_case<std::int32_t>},
      {"all_to_all_v_int64", all_to_all_v_case<std::int64_t>},
      {"all_to_all_v_float32", all_to_all_v_case<float>},
      {"all_to_all_v_float64", all_to_all_v_case<double>},
      {"broadcast_uint8", broadcast_case<std::uint8_t>},
      {"broadcast_int64", broadcast_case<std::int64_t>},
      {"broadcast_float32", broadcast_case<float>},
      {"float_sum_in_rank_order", float_sum_in_rank_order},
      {"nan_survives_min_and_max", nan_survives_min_and_max},
      {"barrier_waits_for_all", barrier_waits_for_all},
      {"several_under_way", several_under_way},
      {"dropped_handles_wait", dropped_handles_wait},
      {"counts_bytes", counts_bytes},
      {"strings", strings},
      {"rejects_wrong_arguments", rejects_wrong_arguments},
  };
  return cases;
}

}  // namespace rallrec::distributed
