#include "kernels/label_loss_cpu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/simd.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels::detail {
namespace {

constexpr std::int64_t kLanes = 8;

// The passage of one chunk of rows over the head. Logits lie transposed, [vocabulary, width]: the
// head's rows are then the left factor as they are, and nothing of the head is packed.
struct Passage {
  const HeadMatrix& head;
  std::int64_t rows;
  std::int64_t width;  // rows, rounded up to whole panels
  std::vector<float> x_panels;
  std::vector<float> logits;    // [vocabulary, width]
  std::vector<float> largest;   // [blocks, width]
  std::vector<float> sum;       // [blocks, width], of exp(z - largest)
  std::vector<float> partials;  // [blocks, rows, hidden]

  std::int64_t block_begin(std::int64_t block) const {
    const std::int64_t size = (head.vocabulary + kVocabularyBlocks - 1) / kVocabularyBlocks;
    return std::min(head.vocabulary, block * size);
  }
};

// Rows of a block of the head in fp32; bf16 is widened into `scratch`. The last panel of 16 columns
// is read whole by tile_matmul, also where the hidden size ends inside it: see gradient_block.
const float* head_rows(const HeadMatrix& head, std::int64_t begin, std::int64_t end,
                       std::vector<float>& scratch) {
  if (head.fp32 != nullptr) {
    return head.fp32 + begin * head.hidden;
  }
  const std::int64_t count = (end - begin) * head.hidden;
  const std::uint16_t* from = head.bf16 + begin * head.hidden;
  scratch.resize(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(from[i]) << 16;
    std::memcpy(&scratch[static_cast<std::size_t>(i)], &bits, sizeof(bits));
  }
  return scratch.data();
}

// Largest logit and sum of exponentials over the block's rows, eight columns at a time.
struct BlockSums {
  [[gnu::always_inline]] static void run(const float* logits, std::int64_t count,
                                         std::int64_t width, float* largest, float* sum) {
    for (std::int64_t j = 0; j < width; j += kLanes) {
      FloatLanes most;
      load8(logits + j, most);
      for (std::int64_t v = 1; v < count; ++v) {
        FloatLanes next;
        load8(logits + v * width + j, next);
        most = next > most ? next : most;
      }
      FloatLanes total{};
      for (std::int64_t v = 0; v < count; ++v) {
        FloatLanes next;
        load8(logits + v * width + j, next);
        next -= most;
        exp8(next);
        total += next;
      }
      store8(most, largest + j);
      store8(total, sum + j);
    }
  }
};

// z = loss_scale · exp(z - lse).
struct Softmax {
  [[gnu::always_inline]] static void run(float* logits, std::int64_t count, std::int64_t width,
                                         const float* lse, float loss_scale) {
    for (std::int64_t j = 0; j < width; j += kLanes) {
      FloatLanes shift;
      load8(lse + j, shift);
      for (std::int64_t v = 0; v < count; ++v) {
        FloatLanes z;
        load8(logits + v * width + j, z);
        z -= shift;
        exp8(z);
        z *= loss_scale;
        store8(z, logits + v * width + j);
      }
    }
  }
};

void logits_block(Passage& passage, std::int64_t block) {
  const std::int64_t begin = passage.block_begin(block);
  const std::int64_t count = passage.block_begin(block + 1) - begin;
  const std::int64_t hidden = passage.head.hidden;
  float* largest = passage.largest.data() + block * passage.width;
  float* sum = passage.sum.data() + block * passage.width;
  if (count == 0) {
    std::fill_n(largest, passage.width, -INFINITY);
    return;
  }
  std::vector<float> scratch;
  const float* weights = head_rows(passage.head, begin, begin + count, scratch);
  float* logits = passage.logits.data() + begin * passage.width;
  const Panels x{passage.x_panels.data(), kPanelColumns * hidden, kPanelColumns};
  tile_matmul({weights, hidden, 1}, x, count, hidden, passage.width, false, logits, passage.width);
  run_best<BlockSums, const float*>(logits, count, passage.width, largest, sum);
}

void gradient_block(Passage& passage, std::int64_t block, const std::int64_t* labels,
                    const float* lse, float loss_scale) {
  const std::int64_t begin = passage.block_begin(block);
  const std::int64_t end = passage.block_begin(block + 1);
  const std::int64_t hidden = passage.head.hidden;
  float* logits = passage.logits.data() + begin * passage.width;
  run_best<Softmax>(logits, end - begin, passage.width, lse, loss_scale);
  for (std::int64_t i = 0; i < passage.rows; ++i) {
    if (labels[i] >= begin && labels[i] < end) {
      logits[(labels[i] - begin) * passage.width + i] -= loss_scale;
    }
  }
  std::vector<float> scratch;
  std::vector<float> packed;
  const float* weights = head_rows(passage.head, begin, end, scratch);
  Panels panels{weights, kPanelColumns, hidden};
  if (hidden % kPanelColumns != 0) {
    packed.resize(static_cast<std::size_t>(packed_size(end - begin, hidden)));
    panels = pack_panels(weights, hidden, 1, end - begin, hidden, packed.data());
  }
  tile_matmul({logits, 1, passage.width}, panels, passage.rows, end - begin, hidden, false,
              passage.partials.data() + block * passage.rows * hidden, hidden);
}

// losses, and the log-sum-exp of each column of the passage.
std::vector<float> combine_sums(const Passage& passage, const std::int64_t* labels, float* losses) {
  std::vector<float> lse(static_cast<std::size_t>(passage.width), 0.0F);
  for (std::int64_t i = 0; i < passage.rows; ++i) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::int64_t block = 0; block < kVocabularyBlocks; ++block) {
      largest = std::max<double>(largest, passage.largest[block * passage.width + i]);
    }
    double sum = 0.0;
    for (std::int64_t block = 0; block < kVocabularyBlocks; ++block) {
      const std::int64_t at = block * passage.width + i;
      sum += passage.sum[at] * std::exp(passage.largest[at] - largest);
    }
    const double total = largest + std::log(sum);
    lse[static_cast<std::size_t>(i)] = static_cast<float>(total);
    losses[i] = static_cast<float>(total - passage.logits[labels[i] * passage.width + i]);
  }
  return lse;
}

// dx = Σ partials, as a balanced tree over the blocks.
void add_partials(Passage& passage, float* dx) {
  const std::int64_t count = passage.rows * passage.head.hidden;
  parallel_for(passage.rows, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t step = 1; step < kVocabularyBlocks; step *= 2) {
      for (std::int64_t block = 0; block < kVocabularyBlocks; block += 2 * step) {
        float* to = passage.partials.data() + block * count;
        const float* from = to + step * count;
        for (std::int64_t i = begin * passage.head.hidden; i < end * passage.head.hidden; ++i) {
          to[i] += from[i];
        }
      }
    }
    const std::int64_t at = begin * passage.head.hidden;
    std::copy_n(passage.partials.data() + at, (end - begin) * passage.head.hidden, dx + at);
  });
}

Passage make_passage(const HeadMatrix& head, std::int64_t rows, const float* x) {
  const std::int64_t width = (rows + kPanelColumns - 1) / kPanelColumns * kPanelColumns;
  const auto of = [](std::int64_t count) {
    return std::vector<float>(static_cast<std::size_t>(count));
  };
  Passage passage{head,
                  rows,
                  width,
                  of(packed_size(head.hidden, rows)),
                  of(head.vocabulary * width),
                  of(kVocabularyBlocks * width),
                  of(kVocabularyBlocks * width),
                  {}};
  pack_panels(x, 1, head.hidden, head.hidden, rows, passage.x_panels.data());
  return passage;
}

}  // namespace

void label_loss_cpu(const HeadMatrix& head, std::int64_t rows, const float* x,
                    const std::int64_t* labels, float loss_scale, float* losses, float* dx) {
  Passage passage = make_passage(head, rows, x);
  parallel_for(kVocabularyBlocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      logits_block(passage, block);
    }
  });
  const std::vector<float> lse = combine_sums(passage, labels, losses);
  if (dx == nullptr) {
    return;
  }
  passage.partials.assign(static_cast<std::size_t>(kVocabularyBlocks * rows * head.hidden), 0.0F);
  parallel_for(kVocabularyBlocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      gradient_block(passage, block, labels, lse.data(), loss_scale);
    }
  });
  add_partials(passage, dx);
}

}  // namespace rallrec::kernels::detail
