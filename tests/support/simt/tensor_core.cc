#include "tests/support/simt/tensor_core.h"

#include <cstdint>
#include <cstring>

namespace rallrec::simt {
namespace {

constexpr unsigned kAllLanes = 0xFFFFFFFFU;
constexpr int kLanes = 32;

template <typename Sum>
struct Product {
  Sum* d;
  const unsigned* a;
  const unsigned* b;
};

float half_of(unsigned pair, int which) {
  const std::uint32_t bits = which == 0 ? pair << 16 : pair & 0xFFFF0000U;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

template <typename Sum>
const Product<Sum>& product_of(const WarpRequest* request) {
  return *static_cast<const Product<Sum>*>(request->input);
}

// d += a · b of the lanes' part of both; kDepth is that of the instruction.
template <typename Sum, int kDepth>
void add_product(WarpRequest* const* lanes, const Sum (&a)[16][kDepth], const Sum (&b)[kDepth][8]) {
  for (int lane = 0; lane < kLanes; ++lane) {
    Sum* d = product_of<Sum>(lanes[lane]).d;
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8;
      const int column = 2 * (lane % 4) + i % 2;
      for (int k = 0; k < kDepth; ++k) {
        d[i] += a[row][k] * b[k][column];
      }
    }
  }
}

void complete_product(WarpRequest* const* lanes, unsigned /*mask*/) {
  float a[16][16];
  float b[16][8];
  for (int lane = 0; lane < kLanes; ++lane) {
    const auto& part = product_of<float>(lanes[lane]);
    const int g = lane / 4;
    const int t = 2 * (lane % 4);
    for (int i = 0; i < 2; ++i) {
      a[g][t + i] = half_of(part.a[0], i);
      a[g + 8][t + i] = half_of(part.a[1], i);
      a[g][t + 8 + i] = half_of(part.a[2], i);
      a[g + 8][t + 8 + i] = half_of(part.a[3], i);
      b[t + i][g] = half_of(part.b[0], i);
      b[t + 8 + i][g] = half_of(part.b[1], i);
    }
  }
  add_product(lanes, a, b);
}

int byte_of(unsigned four, int which) { return static_cast<std::int8_t>(four >> (8 * which)); }

void complete_int8_product(WarpRequest* const* lanes, unsigned /*mask*/) {
  int a[16][32];
  int b[32][8];
  for (int lane = 0; lane < kLanes; ++lane) {
    const auto& part = product_of<int>(lanes[lane]);
    const int group = lane / 4;
    const int first = 4 * (lane % 4);
    for (int i = 0; i < 16; ++i) {
      a[group + i / 4 % 2 * 8][first + i % 4 + i / 8 * 16] = byte_of(part.a[i / 4], i % 4);
    }
    for (int i = 0; i < 8; ++i) {
      b[first + i % 4 + i / 4 * 16][group] = byte_of(part.b[i / 4], i % 4);
    }
  }
  add_product(lanes, a, b);
}

template <bool kTransposed>
void complete_load(WarpRequest* const* lanes, unsigned /*mask*/) {
  for (int lane = 0; lane < kLanes; ++lane) {
    auto* r = static_cast<unsigned*>(lanes[lane]->output);
    for (int matrix = 0; matrix < 4; ++matrix) {
      std::uint16_t pair[2];
      for (int i = 0; i < 2; ++i) {
        const int row = kTransposed ? 2 * (lane % 4) + i : lane / 4;
        const int column = kTransposed ? lane / 4 : 2 * (lane % 4) + i;
        const auto* from =
            static_cast<const std::uint16_t*>(lanes[8 * matrix + row]->input) + column;
        pair[i] = *from;
      }
      r[matrix] = pair[0] | static_cast<unsigned>(pair[1]) << 16;
    }
  }
}

}  // namespace

void multiply_add(float* d, const unsigned* a, const unsigned* b, Site site) {
  const Product<float> product{d, a, b};
  WarpRequest request{"mma.sync", kAllLanes, site, &complete_product, &product};
  warp_operation(request);
}

void multiply_add(int* d, const unsigned* a, const unsigned* b, Site site) {
  const Product<int> product{d, a, b};
  WarpRequest request{"mma.sync", kAllLanes, site, &complete_int8_product, &product};
  warp_operation(request);
}

void load_matrices(unsigned* r, const void* row, bool transposed, Site site) {
  if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) {
    fail_kernel("calls ldmatrix with an address that is not aligned to 16");
  }
  note_read(row, 16);
  WarpRequest request{"ldmatrix", kAllLanes,
                      site,       transposed ? &complete_load<true> : &complete_load<false>,
                      row,        r};
  warp_operation(request);
}

}  // namespace rallrec::simt
