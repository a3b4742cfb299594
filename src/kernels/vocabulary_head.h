#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"

namespace rallrec::kernels {

// Parts that a vocabulary is cut into, whatever its size.
constexpr std::int64_t kVocabularyBlocks = 64;

// Rows of hidden states that share one passage over the head.
constexpr std::int64_t kHeadRows = 64;

// The first row of the head that belongs to `block`; that of block 64 is the vocabulary.
std::int64_t vocabulary_block_begin(std::int64_t vocabulary, std::int64_t block);

// The blocks [first_block, last_block) of a language model's head W [vocabulary, hidden]: its rows
// from vocabulary_block_begin(first_block) on, fp32 or bf16 (the other pointer is null). A rank of
// a vocabulary-parallel model has a part, others have the rest.
struct HeadPart {
  const float* fp32 = nullptr;
  const std::uint16_t* bf16 = nullptr;
  std::int64_t vocabulary = 0;  // of the whole head
  std::int64_t hidden = 0;
  std::int64_t first_block = 0;
  std::int64_t last_block = kVocabularyBlocks;

  std::int64_t blocks() const { return last_block - first_block; }
  std::int64_t first_row() const { return vocabulary_block_begin(vocabulary, first_block); }
  std::int64_t rows() const { return vocabulary_block_begin(vocabulary, last_block) - first_row(); }
};

// Logits of a chunk lie transposed, [rows of the part, head_width(rows)]: `rows` rounded up to
// whole panels of 16, the rest of no meaning.
std::int64_t head_width(std::int64_t rows);

// What a block tells about a chunk's rows, head_width(rows) numbers each: the largest logit, the
// sum of exp(z − largest), the label's logit (0 where the label is in another block). One block
// after the other.
constexpr std::int64_t kHeadStatistics = 3;

// All calls take rows in [1, kHeadRows] and labels in [0, vocabulary). The bits of a row's results
// depend on its own content alone: not on the rows beside it, on threads, or on how the blocks are
// cut into parts. All memory is the queue's. On a CUDA queue a call is enqueued and returns; labels
// cannot be looked at there, and one outside the vocabulary gives its row the loss NaN.

// logits = W x for the part's rows; x is fp32 [rows, hidden]. With labels [rows], also `statistics`
// [blocks, 3, head_width(rows)]; both null where not wanted. 2 · rows · part · hidden operations.
void head_logits(const Queue& queue, const HeadPart& part, std::int64_t rows, const float* x,
                 const std::int64_t* labels, float* logits, float* statistics);

// From the statistics of all 64 blocks: losses[i] = lse[i] − z_i,label(i) with
// lse[i] = log Σ_v exp(z_iv); losses [rows], lse [head_width(rows)]. Without a queue: host memory.
void combine_head_statistics(const Queue& queue, std::int64_t vocabulary, std::int64_t rows,
                             const float* statistics, const std::int64_t* labels, float* losses,
                             float* lse);
void combine_head_statistics(std::int64_t vocabulary, std::int64_t rows, const float* statistics,
                             const std::int64_t* labels, float* losses, float* lse);

// partials[b, i, :] = loss_scale · Σ_{v in block b} (exp(z_iv − lse_i) − [v = label(i)]) W_v, fp32
// [blocks of the part, rows, hidden]; summed over all 64 blocks this is d(loss_scale · Σ
// losses)/dx. `logits` as head_logits left them; they are used up.
void head_gradient(const Queue& queue, const HeadPart& part, std::int64_t rows,
                   const std::int64_t* labels, const float* lse, double loss_scale, float* logits,
                   float* partials);

}  // namespace rallrec::kernels
