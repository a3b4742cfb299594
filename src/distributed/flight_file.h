#pragma once

#include <string>

#include "distributed/flight_record.h"
#include "distributed/hang_verdict.h"

namespace rallrec::distributed {

// Writes the record of one rank as JSON Lines (docs/formats.md): a line on rank and verdict, then
// the events, oldest first. `job` is a word that the ranks of this job have in common and no other
// job has. Called where the job hangs, perhaps for want of this very disk: the
// caller must be able to do without. Throws Error (I/O).
void write_flight_file(const std::string& path, const FlightRecord& record, int rank, int size,
                       const std::string& job, const Verdict& verdict);

}  // namespace rallrec::distributed
