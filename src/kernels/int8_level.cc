#include "kernels/int8_level.h"

#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "kernels/cpu_level.h"
#include "kernels/int8_matmul.h"

namespace rallrec::kernels {
namespace {

// Feature bits of cpuid leaf 7 in edx and state bits of XCR0 that AMX needs. The bits are written
// out because compilers' __builtin_cpu_supports know AMX by different names or not at all.
constexpr unsigned kAmxFeatures = (1U << 24) | (1U << 25);  // AMX-TILE, AMX-INT8
constexpr unsigned kOsXsave = 1U << 27;                     // leaf 1, ecx
constexpr unsigned kTileStates = (1U << 17) | (1U << 18);   // XTILECFG, XTILEDATA
// arch_prctl code of Linux 5.16 that asks for a state component by its number.
constexpr long kRequestStatePermission = 0x1023;
constexpr long kTileData = 18;

bool has_vnni() { return cpu_level() == CpuLevel::kAvx512 && __builtin_cpu_supports("avx512vnni"); }

bool request_amx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0 || (ecx & kOsXsave) == 0) {
    return false;
  }
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 ||
      (edx & kAmxFeatures) != kAmxFeatures) {
    return false;
  }
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & kTileStates) == kTileStates &&
         syscall(SYS_arch_prctl, kRequestStatePermission, kTileData) == 0;
}

// A product whose rows, depth and columns are multiples of no block, and whose last rows are few
// enough for the tiles of a few rows. The first rows and columns
// hold the extremes alone, whose sums are the largest; the others run through all values.
struct Trial {
  static constexpr std::int64_t kRows = 37, kDepth = 203, kColumns = 37;

  static int left(std::int64_t i, std::int64_t k) {
    return i < 2 ? (i == 0 ? 127 : -127) : static_cast<int>((i * 89 + k * 57) % 255) - 127;
  }
  static int right(std::int64_t k, std::int64_t j) {
    return j < 2 ? (j == 0 ? 127 : -127) : static_cast<int>((k * 101 + j * 37) % 255) - 127;
  }
};

std::vector<std::int8_t> packed_trial(bool transposed) {
  std::vector<std::int8_t> source(Trial::kDepth * Trial::kColumns);
  for (std::int64_t k = 0; k < Trial::kDepth; ++k) {
    for (std::int64_t j = 0; j < Trial::kColumns; ++j) {
      source[k * Trial::kColumns + j] = static_cast<std::int8_t>(Trial::right(k, j));
    }
  }
  std::vector<std::int8_t> packed(int8_packed_size(Trial::kDepth, Trial::kColumns));
  if (transposed) {
    packed.resize(int8_packed_size(Trial::kColumns, Trial::kDepth));
    pack_int8(source.data(), 1, Trial::kColumns, Trial::kColumns, Trial::kDepth, packed.data());
  } else {
    pack_int8(source.data(), Trial::kColumns, 1, Trial::kDepth, Trial::kColumns, packed.data());
  }
  return packed;
}

bool equals_integer_sums(const std::vector<float>& c) {
  for (std::int64_t i = 0; i < Trial::kRows; ++i) {
    for (std::int64_t j = 0; j < Trial::kColumns; ++j) {
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < Trial::kDepth; ++k) {
        sum += Trial::left(i, k) * Trial::right(k, j);
      }
      // |sum| <= 127 · 127 · 203 < 2^24: the float is exact.
      if (c[i * Trial::kColumns + j] != static_cast<float>(sum)) {
        return false;
      }
    }
  }
  return true;
}

const Int8Choice& choice() {
  static const Int8Choice chosen = choose_int8_level(has_int8_level, int8_level_is_exact);
  return chosen;
}

}  // namespace

const char* int8_level_name(Int8Level level) {
  switch (level) {
    case Int8Level::kAmx:
      return "AMX-INT8";
    case Int8Level::kVnni:
      return "AVX-512 VNNI";
    case Int8Level::kAvx2:
      return "AVX2";
    case Int8Level::kBaseline:
      break;
  }
  return "baseline";
}

bool has_int8_level(Int8Level level) {
  switch (level) {
    case Int8Level::kAmx: {
      static const bool granted = has_vnni() && request_amx();
      return granted;
    }
    case Int8Level::kVnni:
      return has_vnni();
    case Int8Level::kAvx2:
      return cpu_level() != CpuLevel::kBaseline;
    case Int8Level::kBaseline:
      break;
  }
  return true;
}

bool int8_level_is_exact(Int8Level level) {
  QuantizedRows left(Trial::kRows, Trial::kDepth, level);
  for (std::int64_t i = 0; i < Trial::kRows; ++i) {
    left.scale()[i] = 1.0F;
    for (std::int64_t k = 0; k < Trial::kDepth; ++k) {
      left.set(i, k, Trial::left(i, k));
    }
  }
  const Int8Shape shape{Trial::kRows, Trial::kDepth, Trial::kColumns};
  std::vector<float> c(Trial::kRows * Trial::kColumns);
  int8_matmul({}, shape, left, packed_trial(false).data(), nullptr, false, c.data());
  if (!equals_integer_sums(c)) {
    return false;
  }
  std::fill(c.begin(), c.end(), 0.0F);
  int8_matmul_transposed({}, shape, left, packed_trial(true).data(), false, c.data());
  return equals_integer_sums(c);
}

Int8Choice choose_int8_level(bool (*has)(Int8Level), bool (*exact)(Int8Level)) {
  Int8Choice choice;
  for (auto level = std::rbegin(kInt8Levels); level != std::rend(kInt8Levels); ++level) {
    if (*level == Int8Level::kBaseline || !has(*level)) {
      continue;
    }
    if (exact(*level)) {
      choice.level = *level;
      break;
    }
    choice.warning.append("the 8-bit matmul does not use ")
        .append(int8_level_name(*level))
        .append(": its sums on this processor differ from integer arithmetic; ");
  }
  return choice;
}

Int8Level int8_level() { return choice().level; }

const std::string& int8_level_warning() { return choice().warning; }

}  // namespace rallrec::kernels
