#pragma once

#include <mpi.h>

#include <functional>
#include <vector>

#include "distributed/collective.h"

namespace rallrec::distributed {

// One collective as a sequence of steps, each of which starts non-blocking MPI calls or computes.
// All methods are called by the communication thread.
//
// Reductions are not left to MPI, whose order of additions may change with message size, topology
// and version: the pieces are exchanged and added here in rank order. Above kSmallReduction bytes
// each rank reduces one slice of the vector (reduce-scatter, then all-gather); below, everybody
// reduces all of it, which costs one exchange less.
class MpiOperation {
 public:
  static constexpr std::size_t kSmallReduction = 32 << 10;

  // Messages longer than `largest_message` bytes are cut, because MPI counts are int.
  MpiOperation(const Collective& call, MPI_Comm comm, int rank, int size,
               std::size_t largest_message);

  // Does what can be done without waiting; true once the collective is complete on this rank.
  // Throws Error where MPI reports one.
  bool advance();

 private:
  void plan();
  void exchange_summaries();
  void compare_summaries() const;
  void plan_reduction();
  void plan_sliced_all_reduce();
  void exchange(const void* input, void* output, const Route& route);
  void send(const unsigned char* data, std::size_t bytes, int peer);
  void receive(unsigned char* data, std::size_t bytes, int peer);
  void broadcast();
  void check(int result, const char* function) const;

  Collective call_;
  MPI_Comm comm_;
  int rank_;
  int size_;
  std::size_t largest_message_;
  std::vector<std::function<void()>> steps_;
  std::size_t next_step_ = 0;
  std::vector<MPI_Request> requests_;
  std::vector<MPI_Status> statuses_;
  std::vector<CallSummary> my_summaries_;
  std::vector<CallSummary> their_summaries_;
  // One piece per rank, for reductions.
  std::vector<unsigned char> scratch_;
};

}  // namespace rallrec::distributed
