#include "kernels/dropout.h"

#include <cmath>

#include "core/check.h"
#include "core/parallel_for.h"
#include "core/rng.h"
#include "kernels/dropout_cpu.h"
#include "kernels/dropout_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kTokensPerThread = 16;

// Seed and epoch become one Philox key by Philox itself.
std::uint64_t stream_key(const DropoutStream& stream) {
  const auto words =
      philox4x32(stream.seed, {static_cast<std::uint32_t>(stream.epoch),
                               static_cast<std::uint32_t>(stream.epoch >> 32), 0x64726F70, 0});
  return std::uint64_t{words[0]} << 32 | words[1];
}

}  // namespace

void dropout_mask(const Queue& queue, const DropoutStream& stream, double rate,
                  const DropoutRows& rows, std::int64_t channels, std::uint8_t* mask) {
  RALLREC_CHECK(rate > 0.0 && rate < 1.0, "dropout_mask: the rate must lie in (0, 1)");
  RALLREC_CHECK(rows.offsets.size() == rows.samples.size() + 1,
                "dropout_mask: one sample per sequence");
  RALLREC_CHECK(stream.module >= 0 && stream.module < 16, "dropout_mask: module must be below 16");
  const auto threshold = static_cast<std::uint32_t>(std::lround(rate * 65536.0));
  const std::uint64_t key = stream_key(stream);
  const auto place = static_cast<std::uint32_t>(stream.layer * 16 + stream.module);
  if (queue.device == Device::kCuda) {
    detail::dropout_mask_gpu(queue, {key, place, threshold, channels}, rows, mask);
    return;
  }
  const std::int64_t bytes = dropout_mask_bytes(channels);
  for (std::size_t s = 0; s < rows.samples.size(); ++s) {
    const detail::DropoutSample sample{key, place, static_cast<std::uint64_t>(rows.samples[s])};
    const std::int64_t first = rows.offsets[s];
    parallel_for(rows.offsets[s + 1] - first, kTokensPerThread,
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = first + begin; i < first + end; ++i) {
                     detail::dropout_token_cpu(sample, static_cast<std::uint32_t>(rows.tokens[i]),
                                               threshold, channels, mask + i * bytes);
                   }
                 });
  }
}

void dropout_apply(const Queue& queue, double rate, std::int64_t tokens, std::int64_t channels,
                   const std::uint8_t* mask, const float* x, bool accumulate, float* y) {
  const auto factor = static_cast<float>(1.0 / (1.0 - rate));
  if (queue.device == Device::kCuda) {
    detail::dropout_apply_gpu(queue, factor, tokens, channels, mask, x, accumulate, y);
    return;
  }
  const std::int64_t bytes = dropout_mask_bytes(channels);
  parallel_for(tokens, kTokensPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      detail::dropout_apply_cpu(factor, channels, mask + t * bytes, x + t * channels, accumulate,
                                y + t * channels);
    }
  });
}

}  // namespace rallrec::kernels
