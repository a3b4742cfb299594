#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/simt/device.h"

namespace rallrec::simt {

// What a capture has recorded: operations, each with those that it comes after. Replayed, nodes run
// in any order that these permit.
struct GraphState {
  struct Node {
    std::unique_ptr<Operation> prototype;
    std::vector<std::size_t> after;
  };
  // Device memory that nodes of the graph allocate and free: the graph's, at one address.
  struct Memory {
    explicit Memory(void* memory) : address(memory) {}
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    void* address;
    bool freed = false;  // by a node
  };

  std::vector<Node> nodes;
  std::vector<std::unique_ptr<Memory>> memory;
  const Operation* running = nullptr;  // launches of one graph come one after the other
};

// A capture under way, of the stream where it began and of those that joined it by an event.
struct Capture {
  std::shared_ptr<GraphState> graph = std::make_shared<GraphState>();
  const StreamState* origin = nullptr;
};

// A launch of the graph.
std::unique_ptr<Operation> graph_operation(std::shared_ptr<GraphState> graph);

// Whether the calling thread has a capture under way: then calls that wait for the device, or that
// allocate outside of streams, are errors.
bool this_thread_captures();

// What is alive, in words; empty where nothing is. Drops it.
std::string drop_graphs();

}  // namespace rallrec::simt
