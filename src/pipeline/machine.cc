#include "pipeline/machine.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "io/files.h"

namespace rallrec::pipeline {
namespace {

struct Row {
  const char* name;
  double product_rate;
  double elementwise_rate;
  double link;
  double between_nodes;
  double latency;
  double memory;
};

// GPUs: half of the dense bf16 peak and 80 % of the memory and NVLink rates per direction that
// their vendor specifies; 80 % of a 400 Gb/s port each between nodes; 15 us per doubling of the
// ranks is a guess. cpu: one thread of a Zen 1 core (docs/benchmarks/engine_zen1_202611.md) and
// memory copies inside a machine, 10 GbE between machines.
constexpr Row kMachines[] = {{"cpu", 17e9, 4e9, 5e9, 1e9, 50e-6, 0.0},
                             {"a100", 156e12, 1.6e12, 240e9, 40e9, 15e-6, 80e9},
                             {"h100", 494e12, 2.7e12, 360e9, 40e9, 15e-6, 80e9},
                             {"h200", 494e12, 3.8e12, 360e9, 40e9, 15e-6, 141e9},
                             {"b200", 1125e12, 6.4e12, 720e9, 40e9, 15e-6, 180e9}};

constexpr std::uint64_t kFileLimit = std::uint64_t{1} << 20;

// "bench" and "arm" of a line, and one of its numbers.
struct Measured {
  std::string arm;
  double value = 0.0;
};

Measured measured_in(const std::string& line, const std::string& place) {
  try {
    const auto json = nlohmann::json::parse(line);
    if (json.at("bench").get<std::string>() != "machine") {
      throw_bad_data(place, "a line of bench " + json.at("bench").get<std::string>() +
                                ": expected those of `rallrec bench machine`");
    }
    const auto arm = json.at("arm").get<std::string>();
    const double value = json.at(arm == "latency" ? "seconds" : "rate").get<double>();
    if (!(value > 0.0) || !std::isfinite(value)) {
      throw_bad_data(place, arm + ": expected a number above 0");
    }
    return {arm, value};
  } catch (const nlohmann::json::exception&) {
    throw_bad_data(place, "not a line of `rallrec bench machine`");
  }
}

}  // namespace

Machine machine_named(const std::string& name, std::int64_t threads) {
  for (const Row& row : kMachines) {
    if (name == row.name) {
      const double scale =
          name == "cpu" ? static_cast<double>(std::max<std::int64_t>(1, threads)) : 1.0;
      return {name,
              row.product_rate * scale,
              row.elementwise_rate * scale,
              row.link,
              row.between_nodes,
              row.latency,
              row.memory,
              name == "cpu" ? "one thread of an old core: measure yours by `rallrec bench machine`"
                            : "half of the vendor's bf16 peak, 80 % of its memory and link rates"};
    }
  }
  throw_usage("--device " + name + ": expected cpu, a100, h100, h200 or b200");
}

Machine read_machine(const std::string& file, std::int64_t threads) {
  Machine machine = machine_named("cpu", threads);
  machine.name = io::name_of(file);
  machine.source = "measured by `rallrec bench machine`";
  std::istringstream lines(io::read_file(file, kFileLimit));
  int number = 0;
  bool products = false;
  bool linked = false;
  for (std::string line; std::getline(lines, line);) {
    const Measured measured = measured_in(line, file + ":" + std::to_string(++number));
    if (measured.arm == "products") {
      machine.product_rate = measured.value;
      products = true;
    } else if (measured.arm == "elementwise") {
      machine.elementwise_rate = measured.value;
    } else if (measured.arm == "latency") {
      machine.latency = measured.value;
    } else if (measured.arm == "bandwidth") {
      machine.link = measured.value;
      linked = true;
    }
  }
  if (!products) {
    throw_bad_data(file, "has no arm products: expected the lines of `rallrec bench machine`");
  }
  machine.between_nodes = std::min(machine.between_nodes, machine.link);
  machine.source +=
      linked
          ? "; the link between nodes is taken as 10 GbE, or the one measured where that is slower"
          : " on one rank, so links and latency are those of cpu";
  return machine;
}

}  // namespace rallrec::pipeline
