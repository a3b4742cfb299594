#include "io/earlier_results.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"

namespace rallrec::io {

void remove_earlier_results(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    struct stat status {};
    const bool is_file = ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    if (is_file && ::unlink(path.c_str()) != 0) {
      throw_io(path, "removing the result of an earlier run", errno);
    }
  }
}

}  // namespace rallrec::io
