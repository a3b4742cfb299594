#include "kernels/vocabulary_head_cpu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/simd.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels::detail {
namespace {

constexpr std::int64_t kLanes = 8;
// Rows of the head that are widened and multiplied at a time: they stay in the second cache.
constexpr std::int64_t kStripRows = 64;

// A strip of the head in fp32.
class Strip {
 public:
  Strip(const HeadPart& part, std::int64_t begin, std::int64_t end, std::vector<float>& scratch)
      : rows_(end - begin), hidden_(part.hidden) {
    const std::int64_t at = (begin - part.first_row()) * part.hidden;
    data_ = part.fp32 != nullptr ? part.fp32 + at : widen(part.bf16 + at, scratch);
  }

  LeftMatrix as_left() const { return {data_, hidden_, 1}; }
  // tile_matmul reads all 16 columns of the last panel, which the matrix itself may not have.
  Panels as_panels(std::vector<float>& packed) const {
    if (hidden_ % kPanelColumns == 0) {
      return {data_, kPanelColumns, hidden_};
    }
    packed.resize(static_cast<std::size_t>(packed_size(rows_, hidden_)));
    return pack_panels(data_, hidden_, 1, rows_, hidden_, packed.data());
  }

 private:
  const float* widen(const std::uint16_t* from, std::vector<float>& scratch) const {
    scratch.resize(static_cast<std::size_t>(rows_ * hidden_));
    for (std::int64_t i = 0; i < rows_ * hidden_; ++i) {
      const std::uint32_t bits = static_cast<std::uint32_t>(from[i]) << 16;
      std::memcpy(&scratch[static_cast<std::size_t>(i)], &bits, sizeof(bits));
    }
    return scratch.data();
  }

  std::int64_t rows_;
  std::int64_t hidden_;
  const float* data_;
};

// Largest logit and sum of exponentials over the block's rows, eight columns at a time.
struct BlockSums {
  [[gnu::always_inline]] static void run(const float* logits, std::int64_t count,
                                         std::int64_t width, float* largest, float* sum) {
    for (std::int64_t j = 0; j < width; j += kLanes) {
      FloatLanes most;
      load_lanes(logits + j, most);
      for (std::int64_t v = 1; v < count; ++v) {
        FloatLanes next;
        load_lanes(logits + v * width + j, next);
        most = next > most ? next : most;
      }
      FloatLanes total{};
      for (std::int64_t v = 0; v < count; ++v) {
        FloatLanes next;
        load_lanes(logits + v * width + j, next);
        next -= most;
        exp_lanes(next);
        total += next;
      }
      store_lanes(most, largest + j);
      store_lanes(total, sum + j);
    }
  }
};

// z = loss_scale · exp(z - lse).
struct Softmax {
  [[gnu::always_inline]] static void run(float* logits, std::int64_t count, std::int64_t width,
                                         const float* lse, float loss_scale) {
    for (std::int64_t j = 0; j < width; j += kLanes) {
      FloatLanes shift;
      load_lanes(lse + j, shift);
      for (std::int64_t v = 0; v < count; ++v) {
        FloatLanes z;
        load_lanes(logits + v * width + j, z);
        z -= shift;
        exp_lanes(z);
        z *= loss_scale;
        store_lanes(z, logits + v * width + j);
      }
    }
  }
};

// One chunk of rows on its way over the part. Logits lie transposed, so the head's rows are the
// left factor as they are, and nothing of the head is packed.
struct Chunk {
  const HeadPart& part;
  std::int64_t rows;
  std::int64_t width;
  const std::int64_t* labels;
  float* logits;

  std::int64_t begin_of(std::int64_t block) const {
    return vocabulary_block_begin(part.vocabulary, part.first_block + block);
  }
  float* logits_of(std::int64_t row) const { return logits + (row - part.first_row()) * width; }
};

// The statistics of the part's block, whose logits are there.
void block_statistics(const Chunk& chunk, std::int64_t block, float* statistics) {
  const std::int64_t begin = chunk.begin_of(block);
  const std::int64_t end = chunk.begin_of(block + 1);
  float* largest = statistics + block * kHeadStatistics * chunk.width;
  float* sum = largest + chunk.width;
  float* label = sum + chunk.width;
  std::fill_n(label, chunk.width, 0.0F);
  if (begin == end) {
    std::fill_n(largest, chunk.width, -INFINITY);
    std::fill_n(sum, chunk.width, 0.0F);
    return;
  }
  run_best<BlockSums, const float*>(chunk.logits_of(begin), end - begin, chunk.width, largest, sum);
  for (std::int64_t i = 0; i < chunk.rows; ++i) {
    if (chunk.labels[i] >= begin && chunk.labels[i] < end) {
      label[i] = chunk.logits_of(chunk.labels[i])[i];
    }
  }
}

void block_logits(const Chunk& chunk, std::int64_t block, const Panels& x) {
  const std::int64_t end = chunk.begin_of(block + 1);
  std::vector<float> scratch;
  for (std::int64_t row = chunk.begin_of(block); row < end; row += kStripRows) {
    const std::int64_t last = std::min(end, row + kStripRows);
    const Strip strip(chunk.part, row, last, scratch);
    tile_matmul(strip.as_left(), x, last - row, chunk.part.hidden, chunk.width, false,
                chunk.logits_of(row), chunk.width);
  }
}

void block_gradient(const Chunk& chunk, std::int64_t block, const float* lse, float loss_scale,
                    float* partial) {
  const std::int64_t begin = chunk.begin_of(block);
  const std::int64_t end = chunk.begin_of(block + 1);
  const std::int64_t hidden = chunk.part.hidden;
  if (begin == end) {
    std::fill_n(partial, chunk.rows * hidden, 0.0F);
    return;
  }
  run_best<Softmax>(chunk.logits_of(begin), end - begin, chunk.width, lse, loss_scale);
  for (std::int64_t i = 0; i < chunk.rows; ++i) {
    if (chunk.labels[i] >= begin && chunk.labels[i] < end) {
      chunk.logits_of(chunk.labels[i])[i] -= loss_scale;
    }
  }
  std::vector<float> scratch;
  std::vector<float> packed;
  for (std::int64_t row = begin; row < end; row += kStripRows) {
    const std::int64_t last = std::min(end, row + kStripRows);
    const Strip strip(chunk.part, row, last, scratch);
    tile_matmul({chunk.logits_of(row), 1, chunk.width}, strip.as_panels(packed), chunk.rows,
                last - row, hidden, row > begin, partial, hidden);
  }
}

}  // namespace

void head_logits_cpu(const HeadPart& part, std::int64_t rows, const float* x,
                     const std::int64_t* labels, float* logits, float* statistics) {
  std::vector<float> packed(static_cast<std::size_t>(packed_size(part.hidden, rows)));
  const Panels panels = pack_panels(x, 1, part.hidden, part.hidden, rows, packed.data());
  const Chunk chunk{part, rows, head_width(rows), labels, logits};
  parallel_for(part.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      block_logits(chunk, block, panels);
      if (statistics != nullptr) {
        block_statistics(chunk, block, statistics);
      }
    }
  });
}

void head_gradient_cpu(const HeadPart& part, std::int64_t rows, const std::int64_t* labels,
                       const float* lse, float loss_scale, float* logits, float* partials) {
  const Chunk chunk{part, rows, head_width(rows), labels, logits};
  parallel_for(part.blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      block_gradient(chunk, block, lse, loss_scale, partials + block * rows * part.hidden);
    }
  });
}

}  // namespace rallrec::kernels::detail
