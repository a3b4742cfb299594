#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// What every communicator must do, written once: each case is run by all ranks of a group and
// checks its own rank's results with gtest's EXPECT. Values are small integers, so that == is exact
// in every type.
struct ContractCase {
  std::string name;
  void (*run)(Communicator&);
};

const std::vector<ContractCase>& contract_cases();

}  // namespace rallrec::distributed
