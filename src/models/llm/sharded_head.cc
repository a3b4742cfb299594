#include "models/llm/sharded_head.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "distributed/tree_reduction.h"
#include "models/llm/head_rows.h"

namespace rallrec::models::llm {
namespace {

using distributed::DType;
using kernels::kHeadRows;

// The rows of all ranks, one rank's after the other's.
struct AllRows {
  std::vector<std::size_t> counts;  // rows of each rank
  std::int64_t first = 0;           // of this rank
  at::Tensor hidden;                // fp32 [rows of all ranks, hidden]

  std::int64_t total() const { return hidden.size(0); }
};

AllRows gather_rows(distributed::Communicator& communicator, const at::Tensor& mine) {
  const std::int64_t rows = mine.size(0);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(&rows, counts.data(), 1, DType::kInt64);
  AllRows all;
  all.counts.assign(counts.begin(), counts.end());
  all.first =
      std::accumulate(counts.begin(), counts.begin() + communicator.rank(), std::int64_t{0});
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  all.hidden = at::empty({total, mine.size(1)}, mine.options());
  communicator.all_gather_v(mine.const_data_ptr<float>(), all.hidden.data_ptr<float>(),
                            times(all.counts, static_cast<std::size_t>(mine.size(1))),
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

std::vector<float> ShardedHead::losses(const at::Tensor& hidden,
                                       const std::vector<std::int64_t>& ids, double loss_scale,
                                       const at::Tensor& d_hidden) const {
  RALLREC_CHECK(hidden.size(0) == static_cast<std::int64_t>(ids.size()) &&
                    hidden.size(1) == table_.hidden() && hidden.is_contiguous(),
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
    const float* of_rows =
        chunks.losses(rows, all.hidden.const_data_ptr<float>() + begin * width, ids_of_rows);
    const float* gradient =
        d_hidden.defined() ? chunks.gradient(rows, ids_of_rows, loss_scale) : nullptr;
    const std::int64_t first = std::max(begin, all.first);
    const std::int64_t mine = std::min(begin + rows, all.first + hidden.size(0)) - first;
    if (mine <= 0) {
      continue;
    }
    std::copy_n(of_rows + (first - begin), mine, losses.begin() + (first - all.first));
    if (d_hidden.defined()) {
      std::copy_n(gradient + (first - begin) * width, mine * width,
                  d_hidden.mutable_data_ptr<float>() + (first - all.first) * width);
    }
  }
  return losses;
}

at::Tensor ShardedHead::logits(const at::Tensor& hidden) const {
  distributed::Communicator& communicator = table_.communicator();
  const AllRows all = gather_rows(communicator, hidden.contiguous());
  const at::Tensor mine = part_logits(table_.part(), all.hidden);
  const auto rows = static_cast<std::size_t>(hidden.size(0));
  std::vector<std::size_t> receive_counts;
  for (int rank = 0; rank < communicator.size(); ++rank) {
    receive_counts.push_back(
        rows * static_cast<std::size_t>(table_.first_row(rank + 1) - table_.first_row(rank)));
  }
  std::vector<float> parts(rows * static_cast<std::size_t>(table_.vocabulary()));
  communicator.all_to_all_v(mine.const_data_ptr<float>(),
                            times(all.counts, static_cast<std::size_t>(mine.size(1))), parts.data(),
                            receive_counts, DType::kFloat32);
  at::Tensor logits = at::empty({hidden.size(0), table_.vocabulary()}, hidden.options());
  const float* from = parts.data();
  for (int rank = 0; rank < communicator.size(); ++rank) {
    const std::int64_t first = table_.first_row(rank);
    const std::int64_t columns = table_.first_row(rank + 1) - first;
    for (std::int64_t i = 0; i < hidden.size(0); ++i) {
      std::copy_n(from + i * columns, columns,
                  logits.data_ptr<float>() + i * table_.vocabulary() + first);
    }
    from += hidden.size(0) * columns;
  }
  return logits;
}

at::Tensor ShardedHead::logits_of(const at::Tensor& hidden,
                                  const std::vector<std::int64_t>& ids) const {
  const at::Tensor rows =
      at::empty({static_cast<std::int64_t>(ids.size()), table_.hidden()}, at::kFloat);
  table_.gather(ids, rows);
  return at::mm(hidden, rows.t());
}

}  // namespace rallrec::models::llm
