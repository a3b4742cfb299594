#pragma once

#include <cstdint>
#include <string>

namespace rallrec::pipeline {

// What one rank can do, as plan reckons with it. Rates are useful ones, not peaks.
struct Machine {
  std::string name;
  double product_rate = 0.0;  // FLOP/s in a step's matrix products
  // Bytes read and written per second by what is not a product (norms, activations, sums).
  double elementwise_rate = 0.0;
  double link = 0.0;           // bytes/s that a rank receives inside a node
  double between_nodes = 0.0;  // bytes/s that a rank receives from other nodes
  double latency = 0.0;        // seconds that a collective takes per doubling of the ranks
  double memory = 0.0;         // bytes a rank may hold; 0 = not known
  // Where the rates come from.
  std::string source;
};

// One of the table in machine.cc; `threads` is of a rank, for cpu. kUsage for another name.
Machine machine_named(const std::string& name, std::int64_t threads);

// The lines that `rallrec bench machine` has printed on the machine planned for: arms products,
// elementwise, latency and bandwidth (the last two where it ran on several ranks; else those of
// cpu). Throws kMissingInput, kBadData naming file and line.
Machine read_machine(const std::string& file, std::int64_t threads);

}  // namespace rallrec::pipeline
