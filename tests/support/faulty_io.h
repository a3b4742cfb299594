#pragma once

// A library that stands between the program and the calls by which files are written: write, fsync,
// rename, mkdir, rmdir, unlink, unlinkat, and open where it creates. A test links it, or gives it
// to a program as LD_PRELOAD with
//   FAULTY_IO_PATH    calls whose file's path holds this text count, others are let through
//   FAULTY_IO_FIRST   number of the first call that goes wrong, from 1
//   FAULTY_IO_COUNT   how many go wrong from there on; -1 = all
//   FAULTY_IO_ERROR   the errno they give
namespace rallrec::testing {

enum class Fault : int {
  kNone,
  kError,        // the call does nothing and gives the error
  kShortWrite,   // write takes half of its bytes; other calls are let through
  kKillBefore,   // SIGKILL before the call
  kKillBetween,  // SIGKILL with half of the bytes written; other calls as kKillAfter
  kKillAfter     // SIGKILL after the call
};

extern "C" {
// From now on counts calls on files whose path holds `path`, and lets those numbered [first, first
// + count) go wrong; count -1 = all from there on. With kNone calls are only counted.
void faulty_io_arm(const char* path, long first, long count, int fault, int error);
// Lets everything through. fsync is then real again.
void faulty_io_disarm();
// While armed fsync does nothing, so that a test of thousands of calls is fast: a process that is
// killed loses nothing of what it wrote.
void faulty_io_skip_fsync(int skip);
// Calls counted since it was armed.
long faulty_io_calls();
// While armed, each counted call that succeeded is told to `observer`: "create", "write", "fsync",
// "rename", "mkdir" or "remove", the path, the new path of a rename, and the bytes of a write. Null
// = nobody.
void faulty_io_observe(void (*observer)(const char* call, const char* path, const char* other,
                                        const void* bytes, unsigned long count));
}

}  // namespace rallrec::testing
