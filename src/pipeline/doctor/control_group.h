#pragma once

#include <optional>
#include <string>

namespace rallrec::pipeline {

// The least memory, in bytes, that the control groups of a process may use, which is how batch
// systems and containers limit a job; none where there is no limit. `groups` is the text of
// /proc/<pid>/cgroup, `root` where the file systems of both generations are mounted
// (/sys/fs/cgroup): of a group and all groups around it, memory.max, or memory.limit_in_bytes of
// the controller `memory`.
std::optional<double> control_group_memory(const std::string& groups, const std::string& root);

}  // namespace rallrec::pipeline
