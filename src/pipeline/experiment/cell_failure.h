#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/error.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// How a cell ends on this rank: runs `body` and returns what it threw, nothing where it threw
// nothing. What ends the whole program is thrown on: a stop on request, a lost or diverged peer, a
// hang.
std::optional<Failure> cell_failure(const std::function<void()>& body);

// Lets the ranks go on together after a cell has failed. That works where all of them have failed
// at the same place, as with wrong data or settings; a rank that failed alone (its memory, its
// disk) cannot take the others out of a collective that they wait in. Failures are told through
// files failure.rank<k> in the cell's folder, which all ranks see, since no collective would do.
class CellFailures {
 public:
  // `patience`: seconds that a rank waits for the others' reports.
  CellFailures(distributed::Communicator& communicator, double patience)
      : communicator_(communicator), patience_(patience) {}

  // Removes what an earlier start has left. Collective.
  void begin(const std::string& folder);

  // Called by a rank whose cell has failed. Returns where all ranks report the same failure, after
  // removing the reports; throws the failure as an Error where not, and leaves the report.
  void go_on_together(const std::string& folder, const Failure& failure);

  // The report that a rank has left in the folder when it ended the program; on rank 0.
  static std::optional<Failure> left_in(const std::string& folder);

 private:
  bool all_report(const std::string& folder, const std::string& report) const;

  distributed::Communicator& communicator_;
  double patience_;
};

}  // namespace rallrec::pipeline
