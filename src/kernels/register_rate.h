#pragma once

#include <cstdint>

namespace rallrec::kernels {

// Multiply-adds on registers alone, in as many independent chains as hide their latency: the rate
// that no matmul of the same instructions can pass. One thread. Both return the operations done, a
// multiply and an add being two.

// fp32, with the instructions of tile_matmul.
double run_fp32_registers(std::int64_t rounds);
// With those of int8_matmul: pairs of int16 (vpmaddwd) at the level AVX2, quads of bytes (vpdpbusd)
// at the level VNNI, summed in int32. 0, and nothing is run, at any other level.
double run_int8_registers(std::int64_t rounds);

}  // namespace rallrec::kernels
