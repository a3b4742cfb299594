#include "io/hdf5_handle.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace rallrec::io {
namespace {

bool set_up_library() {
  // A file whose last flush met a full disk stays half closed inside the library, whose own handler
  // at exit then crashes. Files are closed and synced by us, so nothing is left for it to do.
  H5dont_atexit();
  H5open();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  return true;
}

// What the library says on one line: the system's own words where it quotes an error number amid
// times, names and sizes.
std::string in_one_line(std::string text) {
  constexpr std::string_view kNumber = "errno = ";
  if (const std::size_t at = text.find(kNumber); at != std::string::npos) {
    if (const int number = std::atoi(text.c_str() + at + kNumber.size()); number > 0) {
      return std::strerror(number);
    }
  }
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// The walk goes from the cause up to the call; the cause comes first.
herr_t keep_first(unsigned, const H5E_error2_t* error, void* text) {
  auto* const result = static_cast<std::string*>(text);
  if (result->empty() && error->desc != nullptr) {
    *result = in_one_line(error->desc);
  }
  return 0;
}

}  // namespace

std::unique_lock<std::mutex> lock_hdf5() {
  static std::mutex mutex;
  std::unique_lock<std::mutex> lock(mutex);
  static const bool ready = set_up_library();
  static_cast<void>(ready);
  return lock;
}

std::string take_hdf5_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "no reason given" : text;
}

Hdf5Handle file_access() {
  Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  H5Pset_file_locking(access.get(), false, true);
  H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  return access;
}

}  // namespace rallrec::io
