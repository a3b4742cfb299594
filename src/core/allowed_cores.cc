#include "core/allowed_cores.h"

#include <sched.h>

#include <algorithm>
#include <numeric>
#include <thread>

namespace rallrec {

std::vector<int> allowed_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) {
        cores.push_back(core);
      }
    }
  }
  if (cores.empty()) {
    cores.resize(std::max(1U, std::thread::hardware_concurrency()));
    std::iota(cores.begin(), cores.end(), 0);
  }
  return cores;
}

std::string allowed_cores_text() {
  std::string text;
  for (const int core : allowed_cores()) {
    text += std::to_string(core) + " ";
  }
  return text;
}

}  // namespace rallrec
