#include "tests/support/simt/fibre.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>

#include <cstdint>
#include <new>

// Saves the callee-saved registers and the stack pointer, and goes on where `load` was saved.
extern "C" void rallrec_simt_switch(void** save, void* load);
asm(R"(
.text
.globl rallrec_simt_switch
.type rallrec_simt_switch, @function
rallrec_simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size rallrec_simt_switch, .-rallrec_simt_switch
.globl rallrec_simt_begin
.type rallrec_simt_begin, @function
rallrec_simt_begin:
  movq %r12, %rdi
  xorl %ebp, %ebp
  callq *%r13
  ud2
.size rallrec_simt_begin, .-rallrec_simt_begin
)");
extern "C" void rallrec_simt_begin();

namespace rallrec::simt {
namespace {

constexpr std::size_t kGuardBytes = 4096;

}  // namespace

Fibre::Fibre() {
  void* memory = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, kGuardBytes, PROT_NONE) != 0) {
    throw std::bad_alloc();
  }
  memory_ = static_cast<char*>(memory);
  stack_ = memory_ + kGuardBytes;
}

Fibre::~Fibre() { munmap(memory_, kGuardBytes + kStackBytes); }

void Fibre::start(void (*entry)(void*), void* argument) {
  entry_ = entry;
  argument_ = argument;
  own_fake_stack_ = nullptr;
  // Frames that were left for ever have their red zones still marked.
  __asan_unpoison_memory_region(stack_, kStackBytes);
  auto** top = reinterpret_cast<void**>(stack_ + kStackBytes);
  *--top = nullptr;  // a return address that ends every backtrace
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(&rallrec_simt_begin);
  *--top = nullptr;                                 // rbp
  *--top = nullptr;                                 // rbx
  *--top = this;                                    // r12
  *--top = reinterpret_cast<void*>(&Fibre::enter);  // r13
  *--top = nullptr;                                 // r14
  *--top = nullptr;                                 // r15
  own_stack_pointer_ = top;
}

void Fibre::enter(Fibre* fibre) {
  __sanitizer_finish_switch_fiber(nullptr, &fibre->caller_stack_, &fibre->caller_stack_bytes_);
  fibre->entry_(fibre->argument_);
}

void Fibre::resume() {
  __sanitizer_start_switch_fiber(&caller_fake_stack_, stack_, kStackBytes);
  rallrec_simt_switch(&caller_stack_pointer_, own_stack_pointer_);
  __sanitizer_finish_switch_fiber(caller_fake_stack_, nullptr, nullptr);
}

void Fibre::suspend() {
  __sanitizer_start_switch_fiber(&own_fake_stack_, caller_stack_, caller_stack_bytes_);
  rallrec_simt_switch(&own_stack_pointer_, caller_stack_pointer_);
  __sanitizer_finish_switch_fiber(own_fake_stack_, &caller_stack_, &caller_stack_bytes_);
}

}  // namespace rallrec::simt
