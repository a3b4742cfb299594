#include "core/launch.h"
#include "kernels/dropout_gpu.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/philox.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// Sequences that one launch takes: their list travels with the kernel's arguments, so that nothing
// is copied before it.
constexpr int kSequences = 64;
struct Sequences {
  int count;
  std::int64_t first;               // row of the first sequence
  std::int64_t end[kSequences];     // row behind each
  std::int64_t sample[kSequences];  // of each
};

__device__ std::int64_t sample_of(const Sequences& sequences, std::int64_t row) {
  int low = 0;
  int high = sequences.count - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (sequences.end[middle] <= row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return sequences.sample[low];
}

// A thread per byte of the mask: the eight 16-bit draws of one Philox block.
__global__ void __launch_bounds__(kThreads)
    dropout_mask_kernel(DropoutDraw draw, Sequences sequences, const std::int64_t* tokens,
                        std::uint8_t* mask) {
  const std::int64_t bytes = (draw.channels + 7) / 8;
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t row = sequences.first + i / bytes;
  if (row >= sequences.end[sequences.count - 1]) {
    return;
  }
  const std::int64_t byte = i % bytes;
  const auto sample = static_cast<std::uint64_t>(sample_of(sequences, row));
  const uint4 words = gpu::philox4x32(
      draw.key,
      make_uint4(static_cast<unsigned>(byte) | static_cast<unsigned>(sample >> 32) << 20,
                 static_cast<unsigned>(tokens[row]), static_cast<unsigned>(sample), draw.stream));
  const unsigned word[4] = {words.x, words.y, words.z, words.w};
  unsigned kept = 0;
  for (int w = 0; w < 4; ++w) {
    kept |= ((word[w] & 0xFFFFU) >= draw.threshold ? 1U : 0U) << (2 * w);
    kept |= ((word[w] >> 16) >= draw.threshold ? 2U : 0U) << (2 * w);
  }
  mask[row * bytes + byte] = static_cast<std::uint8_t>(kept);
}

// A thread per kWidth channels of a token. The product is rounded before anything is added to it,
// as on the CPU.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    dropout_apply_kernel(float factor, std::int64_t tokens, std::int64_t channels,
                         const std::uint8_t* mask, const float* x, bool accumulate, float* y) {
  const std::int64_t per_token = channels / kWidth;
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= tokens * per_token) {
    return;
  }
  const std::int64_t token = i / per_token;
  const std::int64_t c = (i - token * per_token) * kWidth;
  const unsigned kept = mask[token * ((channels + 7) / 8) + c / 8] >> (c % 8);
  auto value = gpu::load<kWidth>(x + token * channels + c);
  gpu::Floats<kWidth> old{};
  if (accumulate) {
    old = gpu::load<kWidth>(y + token * channels + c);
  }
  for (int k = 0; k < kWidth; ++k) {
    const float scaled = (kept >> k & 1U) != 0 ? __fmul_rn(value.v[k], factor) : 0.0F;
    value.v[k] = accumulate ? old.v[k] + scaled : scaled;
  }
  gpu::store(value, y + token * channels + c);
}

}  // namespace

void dropout_mask_gpu(const Queue& queue, const DropoutDraw& draw, const DropoutRows& rows,
                      std::uint8_t* mask) {
  const std::int64_t bytes = dropout_mask_bytes(draw.channels);
  for (std::size_t begin = 0; begin < rows.samples.size(); begin += kSequences) {
    const std::size_t left = rows.samples.size() - begin;
    Sequences sequences{};
    sequences.count = left < kSequences ? static_cast<int>(left) : kSequences;
    sequences.first = rows.offsets[begin];
    for (int s = 0; s < sequences.count; ++s) {
      sequences.sample[s] = rows.samples[begin + static_cast<std::size_t>(s)];
      sequences.end[s] = rows.offsets[begin + static_cast<std::size_t>(s) + 1];
    }
    const std::int64_t count = sequences.end[sequences.count - 1] - sequences.first;
    launch(&dropout_mask_kernel, dim3(blocks_for(count * bytes, kThreads)), dim3(kThreads), 0,
           stream_of(queue), draw, sequences, rows.tokens, mask);
  }
}

void dropout_apply_gpu(const Queue& queue, float factor, std::int64_t tokens, std::int64_t channels,
                       const std::uint8_t* mask, const float* x, bool accumulate, float* y) {
  const bool fours = gpu::in_fours(channels, x, y);
  launch(fours ? &dropout_apply_kernel<4> : &dropout_apply_kernel<1>,
         dim3(blocks_for(tokens * channels, fours ? 4 * kThreads : kThreads)), dim3(kThreads), 0,
         stream_of(queue), factor, tokens, channels, mask, x, accumulate, y);
}

}  // namespace rallrec::kernels::detail
