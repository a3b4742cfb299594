#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

namespace rallrec::io {

// Owns an HDF5 identifier; `close` is the library's function for its kind.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = other.close_;
    return *this;
  }
  ~Hdf5Handle() { reset(); }

  hid_t get() const { return id_; }
  bool valid() const { return id_ >= 0; }
  // Closes; false where the library reports a failure (a flush that met a full disk).
  bool reset() { return !valid() || close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// The serial library is not thread-safe: every call is made under this lock. Taking it also sets
// the library up: nothing printed by itself, no plugins loaded.
std::unique_lock<std::mutex> lock_hdf5();

// The library's own words about this thread's last failed call, as one line, then clears them. The
// next call clears them too.
std::string take_hdf5_error();

// File access properties of all our files: no lock files (shared file systems often lack them),
// format of HDF5 1.8 or later, whose metadata carries checksums.
Hdf5Handle file_access();

}  // namespace rallrec::io
