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

// Losses and gradients of a chunk of everybody's rows.
class LossChunk {
 public:
  LossChunk(const ShardedTable& table, std::int64_t rows, const float* x,
            const std::int64_t* labels)
      : table_(table), rows_(rows), labels_(labels), part_(table.part()) {
    const std::int64_t width = kernels::head_width(rows);
    logits_.resize(static_cast<std::size_t>(part_.rows() * width));
    lse_.resize(static_cast<std::size_t>(width));
    const auto block = static_cast<std::size_t>(kernels::kHeadStatistics * width);
    std::vector<float> mine(static_cast<std::size_t>(part_.blocks()) * block);
    kernels::head_logits({}, part_, rows, x, labels, logits_.data(), mine.data());
    std::vector<std::size_t> counts;
    for (int rank = 0; rank < table.communicator().size(); ++rank) {
      counts.push_back(
          static_cast<std::size_t>(table.first_block(rank + 1) - table.first_block(rank)) * block);
    }
    std::vector<float> all(static_cast<std::size_t>(kernels::kVocabularyBlocks) * block);
    table.communicator().all_gather_v(mine.data(), all.data(), counts, DType::kFloat32);
    losses_.resize(static_cast<std::size_t>(rows));
    kernels::combine_head_statistics(table.vocabulary(), rows, all.data(), labels, losses_.data(),
                                     lse_.data());
  }

  const std::vector<float>& losses() const { return losses_; }

  // fp32 [rows, hidden]. Once: the logits are used up.
  std::vector<float> gradient(double loss_scale) {
    const auto count = static_cast<std::size_t>(rows_ * part_.hidden);
    std::vector<float> partials(static_cast<std::size_t>(part_.blocks()) * count);
    kernels::head_gradient({}, part_, rows_, labels_, lse_.data(), loss_scale, logits_.data(),
                           partials.data());
    distributed::TreeReduction tree(
        static_cast<std::size_t>(kernels::kVocabularyBlocks),
        {static_cast<std::size_t>(part_.first_block), static_cast<std::size_t>(part_.last_block)},
        count);
    for (std::int64_t block = 0; block < part_.blocks(); ++block) {
      tree.add(partials.data() + static_cast<std::size_t>(block) * count);
    }
    std::vector<float> sum(count);
    tree.finish(table_.communicator(), sum.data());
    return sum;
  }

 private:
  const ShardedTable& table_;
  std::int64_t rows_;
  const std::int64_t* labels_;
  kernels::HeadPart part_;
  std::vector<float> logits_;
  std::vector<float> lse_;
  std::vector<float> losses_;
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
  const std::int64_t end_of_mine = all.first + hidden.size(0);
  for (std::int64_t begin = 0; begin < all.total(); begin += kHeadRows) {
    const std::int64_t rows = std::min(kHeadRows, all.total() - begin);
    LossChunk chunk(table_, rows, all.hidden.const_data_ptr<float>() + begin * table_.hidden(),
                    labels.data() + begin);
    const std::int64_t first = std::max(begin, all.first);
    const std::int64_t mine = std::min(begin + rows, end_of_mine) - first;
    const std::vector<float> gradient =
        d_hidden.defined() ? chunk.gradient(loss_scale) : std::vector<float>();
    if (mine <= 0) {
      continue;
    }
    std::copy_n(chunk.losses().begin() + (first - begin), mine,
                losses.begin() + (first - all.first));
    if (d_hidden.defined()) {
      std::copy_n(gradient.begin() + (first - begin) * table_.hidden(), mine * table_.hidden(),
                  d_hidden.mutable_data_ptr<float>() + (first - all.first) * table_.hidden());
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
