#pragma once

namespace rallrec::kernels {

// Instruction sets that hot loops are compiled for. One binary carries all of them and chooses when
// it runs, so it is fast on a new CPU and still starts on an old one.
enum class CpuLevel { kBaseline, kAvx2, kAvx512 };

// The best level of the CPU that this process runs on.
CpuLevel cpu_level();

// The function of the right level. A loop is written once as an always_inline function and
// instantiated by three thin wrappers whose [[gnu::target]] differ.
template <typename Function>
Function choose_by_cpu(Function baseline, Function avx2, Function avx512) {
  switch (cpu_level()) {
    case CpuLevel::kAvx512:
      return avx512;
    case CpuLevel::kAvx2:
      return avx2;
    case CpuLevel::kBaseline:
      break;
  }
  return baseline;
}

}  // namespace rallrec::kernels
