#include "models/llm/sharded_head.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "distributed/tree_reduction.h"
#include "models/llm/head_rows.h"
#include "ops/tensor_rows.h"

namespace rallrec::models::llm {
namespace {

using distributed::DType;
using kernels::kHeadRows;

// The rows of all ranks, one rank's after the other's.
struct AllRows {
  std::vector<std::size_t> counts;  // rows of each rank
  std::int64_t first = 0;           // of this rank
  std::vector<float> values;
  Rows hidden;  // [rows of all ranks, hidden], of `values`

  std::int64_t total() const { return hidden.rows; }
};

AllRows gather_rows(distributed::Communicator& communicator, const Rows& mine) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&mine.rows, counts.data(), 1, DType::kInt64);
  AllRows all;
  all.counts.assign(counts.begin(), counts.end());
  all.first =
      std::accumulate(counts.begin(), counts.begin() + communicator.rank(), std::int64_t{0});
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  all.values.resize(static_cast<std::size_t>(total * mine.columns));
  all.hidden = {all.values.data(), total, mine.columns};
  communicator.all_gather_v(mine.data, all.values.data(),
                            times(all.counts, static_cast<std::size_t>(mine.columns)),
                            DType::kFloat32);
  return all;
}

// Losses and gradients of everybody's rows, at most kHeadRows at a time in the same memory.
class LossChunks {
 public:
  LossChunks(const ShardedTable& table, std::int64_t most_rows, bool gradients)
      : table_(table), part_(table.part()) {
    const std::int64_t width = kernels::head_width(most_rows);
    const std::int64_t block = kernels::kHeadStatistics * width;
    const std::int64_t row = gradients ? part_.hidden : 0;
    logits_ = floats(part_.rows() * width);
    lse_ = floats(width);
    losses_ = floats(most_rows);
    mine_ = floats(part_.blocks() * block);
    all_ = floats(kernels::kVocabularyBlocks * block);
    partials_ = floats(part_.blocks() * most_rows * row);
    gradient_ = floats(most_rows * row);
  }

  // Returns the losses of rows x [rows, hidden], valid until the next call.
  const float* losses(std::int64_t rows, const float* x, const std::int64_t* labels) {
    distributed::Communicator& communicator = table_.communicator();
    kernels::head_logits({}, part_, rows, x, labels, logits_.data(), mine_.data());
    const std::int64_t block = kernels::kHeadStatistics * kernels::head_width(rows);
    std::vector<std::size_t> counts;
    for (int rank = 0; rank < communicator.size(); ++rank) {
      counts.push_back(static_cast<std::size_t>(
          (table_.first_block(rank + 1) - table_.first_block(rank)) * block));
    }
    communicator.all_gather_v(mine_.data(), all_.data(), counts, DType::kFloat32);
    kernels::combine_head_statistics(table_.vocabulary(), rows, all_.data(), labels, losses_.data(),
                                     lse_.data());
    return losses_.data();
  }

  // fp32 [rows, hidden], of the rows of the last `losses`. Once: the logits are used up.
  const float* gradient(std::int64_t rows, const std::int64_t* labels, double loss_scale) {
    const std::int64_t count = rows * part_.hidden;
    kernels::head_gradient({}, part_, rows, labels, lse_.data(), loss_scale, logits_.data(),
                           partials_.data());
    distributed::TreeReduction tree(
        static_cast<std::size_t>(kernels::kVocabularyBlocks),
        {static_cast<std::size_t>(part_.first_block), static_cast<std::size_t>(part_.last_block)},
        static_cast<std::size_t>(count));
    for (std::int64_t block = 0; block < part_.blocks(); ++block) {
      tree.add(partials_.data() + block * count);
    }
    tree.finish(table_.communicator(), gradient_.data());
    return gradient_.data();
  }

 private:
  static std::vector<float> floats(std::int64_t count) {
    return std::vector<float>(static_cast<std::size_t>(count));
  }

  const ShardedTable& table_;
  kernels::HeadPart part_;
  std::vector<float> logits_, lse_, losses_;
  std::vector<float> mine_, all_;  // statistics of this rank's blocks and of all blocks
  std::vector<float> partials_, gradient_;
};

}  // namespace

std::vector<float> ShardedHead::losses(const Rows& hidden, const std::vector<std::int64_t>& ids,
                                       double loss_scale, const Rows& d_hidden) const {
  RALLREC_CHECK(
      hidden.rows == static_cast<std::int64_t>(ids.size()) && hidden.columns == table_.hidden(),
      "LmHead: one id per row of hidden states");
  const AllRows all = gather_rows(table_.communicator(), hidden);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(all.total()));
  table_.communicator().all_gather_v(ids.data(), labels.data(), all.counts, DType::kInt64);
  std::vector<float> losses(ids.size());
  LossChunks chunks(table_, std::min(kHeadRows, all.total()), d_hidden.defined());
  const std::int64_t width = table_.hidden();
  for (std::int64_t begin = 0; begin < all.total(); begin += kHeadRows) {
    const std::int64_t rows = std::min(kHeadRows, all.total() - begin);
    const std::int64_t* ids_of_rows = labels.data() + begin;
    const float* of_rows = chunks.losses(rows, all.hidden.part(begin, rows).data, ids_of_rows);
    const float* gradient =
        d_hidden.defined() ? chunks.gradient(rows, ids_of_rows, loss_scale) : nullptr;
    const std::int64_t first = std::max(begin, all.first);
    const std::int64_t mine = std::min(begin + rows, all.first + hidden.rows) - first;
    if (mine <= 0) {
      continue;
    }
    std::copy_n(of_rows + (first - begin), mine, losses.begin() + (first - all.first));
    if (d_hidden.defined()) {
      std::copy_n(gradient + (first - begin) * width, mine * width,
                  d_hidden.part(first - all.first, mine).data);
    }
  }
  return losses;
}

void ShardedHead::logits(const Rows& hidden, const Rows& logits) const {
  distributed::Communicator& communicator = table_.communicator();
  const AllRows all = gather_rows(communicator, hidden);
  const kernels::HeadPart part = table_.part();
  std::vector<float> mine(static_cast<std::size_t>(all.total() * part.rows()));
  part_logits(part, all.hidden, {mine.data(), all.total(), part.rows()});
  const auto rows = static_cast<std::size_t>(hidden.rows);
  std::vector<std::size_t> receive_counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    receive_counts.push_back(
        rows * static_cast<std::size_t>(table_.first_row(rank + 1) - table_.first_row(rank)));
  }
  std::vector<float> parts(rows * static_cast<std::size_t>(table_.vocabulary()));
  communicator.all_to_all_v(mine.data(), times(all.counts, static_cast<std::size_t>(part.rows())),
                            parts.data(), receive_counts, DType::kFloat32);
  const float* from = parts.data();
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const std::int64_t first = table_.first_row(rank);
    const std::int64_t columns = table_.first_row(rank + 1) - first;
    for (std::int64_t i = 0; i < hidden.rows; ++i) {
      std::copy_n(from + i * columns, columns, logits.data + i * table_.vocabulary() + first);
    }
    from += hidden.rows * columns;
  }
}

void ShardedHead::logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                            const Rows& logits) const {
  const at::Tensor rows =
      at::empty({static_cast<std::int64_t>(ids.size()), table_.hidden()}, at::kFloat);
  table_.gather(ids, ops::rows_of(rows));
  at::Tensor to = ops::tensor_of(logits);
  at::mm_out(to, ops::tensor_of(hidden), rows.t());
}

}  // namespace rallrec::models::llm
