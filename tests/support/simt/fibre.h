#pragma once

#include <cstddef>

namespace rallrec::simt {

// A stack of its own on which a function runs until it suspends itself (x86-64 only). Fibres belong
// to the thread that resumes them; a fibre that never ended may be started again.
class Fibre {
 public:
  static constexpr std::size_t kStackBytes = 128 * 1024;

  Fibre();
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // Makes the next resume() call entry(argument). `entry` must not return; it suspends for ever.
  void start(void (*entry)(void*), void* argument);

  // Runs the fibre until it suspends.
  void resume();

  bool on_stack(const void* address) const {
    return address >= stack_ && address < stack_ + kStackBytes;
  }

  // Called on the fibre: back to the resume() that let it run.
  void suspend();

 private:
  static void enter(Fibre* fibre);

  char* memory_;  // a guard page, then the stack
  char* stack_;
  void* own_stack_pointer_ = nullptr;
  void* caller_stack_pointer_ = nullptr;
  void* caller_fake_stack_ = nullptr;
  void* own_fake_stack_ = nullptr;
  const void* caller_stack_ = nullptr;
  std::size_t caller_stack_bytes_ = 0;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
};

}  // namespace rallrec::simt
