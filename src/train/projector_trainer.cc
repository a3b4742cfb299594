#include "train/projector_trainer.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/check.h"
#include "distributed/tree_reduction.h"
#include "kernels/info_nce.h"
#include "ops/info_nce.h"
#include "train/adam.h"

namespace rallrec::train {
namespace {

constexpr std::int64_t kMostBlocks = 16;
constexpr std::int64_t kFewestRows = 32;

// The cut of the catalogue's rows into blocks, and of the blocks into ranks.
struct BlockCut {
  std::int64_t rows;
  std::int64_t block_rows;
  std::int64_t blocks;

  explicit BlockCut(std::int64_t count)
      : rows(count),
        block_rows(alignment_block_rows(count)),
        blocks((count + block_rows - 1) / block_rows) {}

  distributed::Range blocks_of(int ranks, int rank) const {
    return distributed::split_evenly(static_cast<std::size_t>(blocks), ranks, rank);
  }
  std::int64_t row(std::size_t block) const {
    return std::min(static_cast<std::int64_t>(block) * block_rows, rows);
  }
  // Elements per rank where each row has `per_row` and each block `per_block`.
  std::vector<std::size_t> counts(int ranks, std::int64_t per_row, std::int64_t per_block) const {
    std::vector<std::size_t> result;
    for (int rank = 0; rank < ranks; ++rank) {
      const auto part = blocks_of(ranks, rank);
      result.push_back(static_cast<std::size_t>((row(part.end) - row(part.begin)) * per_row) +
                       part.size() * static_cast<std::size_t>(per_block));
    }
    return result;
  }
};

class ProjectorTrainer {
 public:
  ProjectorTrainer(models::Projector& projector, const at::Tensor& text, const at::Tensor& graph,
                   const config::AlignOptions& options, distributed::Communicator& communicator)
      : projector_(projector),
        text_(text),
        columns_(models::normalise_rows(graph).contiguous()),
        options_(options),
        communicator_(communicator),
        cut_(text.size(0)),
        mine_(cut_.blocks_of(communicator.size(), communicator.rank())),
        adam_(static_cast<std::int64_t>(projector.parameters().size())),
        gradient_(projector.parameters().size()) {}

  // One step; returns the loss before it.
  double step() {
    std::vector<at::Tensor> outputs;
    for (std::size_t block = mine_.begin; block < mine_.end; ++block) {
      outputs.push_back(models::normalise_rows(
          projector_.forward(text_.slice(0, cut_.row(block), cut_.row(block + 1)))));
    }
    const at::Tensor grad_rows = gradient_of_rows(outputs);
    distributed::TreeReduction tree(static_cast<std::size_t>(cut_.blocks), mine_, gradient_.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::int64_t first = cut_.row(mine_.begin + i) - cut_.row(mine_.begin);
      add_leaf(outputs[i], grad_rows.slice(0, first, first + outputs[i].size(0)), tree);
    }
    tree.finish(communicator_, gradient_.data());
    adam_.step(projector_.parameters().data(), gradient_.data(), options_.learning_rate);
    return loss_;
  }

 private:
  // The gradient of the loss with respect to this rank's output rows; sets loss_.
  at::Tensor gradient_of_rows(const std::vector<at::Tensor>& outputs) {
    const at::Tensor rows =
        (outputs.empty() ? at::empty({0, columns_.size(1)}) : at::cat(outputs).detach())
            .contiguous()
            .set_requires_grad(true);
    ops::InfoNceRows options;
    options.first_row = cut_.row(mine_.begin);
    options.block_rows = cut_.block_rows;
    options.join = [this](const std::vector<double>& partial) { return join(partial); };
    std::vector<double> block_sums;
    options.block_sums = &block_sums;
    const at::Tensor share = ops::info_nce(rows, columns_, options_.temperature, options);
    loss_ = total_loss(block_sums);
    return torch::autograd::grad({share}, {rows})[0];
  }

  std::vector<double> join(const std::vector<double>& partial) {
    const std::int64_t columns = columns_.size(0);
    std::vector<double> all(static_cast<std::size_t>(cut_.blocks * columns));
    communicator_.all_gather_v(partial.data(), all.data(),
                               cut_.counts(communicator_.size(), 0, columns),
                               distributed::DType::kFloat64);
    std::vector<double> joined(static_cast<std::size_t>(columns));
    kernels::combine_column_lse({}, all.data(), cut_.blocks, columns, joined.data());
    return joined;
  }

  // Mean over items, summed in block order.
  double total_loss(const std::vector<double>& block_sums) {
    std::vector<double> all(static_cast<std::size_t>(cut_.blocks));
    communicator_.all_gather_v(block_sums.data(), all.data(),
                               cut_.counts(communicator_.size(), 0, 1),
                               distributed::DType::kFloat64);
    double sum = 0.0;
    for (const double block : all) {
      sum += block;
    }
    return sum / static_cast<double>(cut_.rows);
  }

  // Flattens the parameters' gradient through one block into a leaf of the tree.
  void add_leaf(const at::Tensor& output, const at::Tensor& grad_output,
                distributed::TreeReduction& tree) {
    const auto grads =
        torch::autograd::grad({output}, projector_.parameter_tensors(), {grad_output});
    std::vector<float> leaf;
    leaf.reserve(gradient_.size());
    for (const at::Tensor& grad : grads) {
      const at::Tensor flat = grad.contiguous();
      leaf.insert(leaf.end(), flat.const_data_ptr<float>(),
                  flat.const_data_ptr<float>() + flat.numel());
    }
    tree.add(leaf.data());
  }

  models::Projector& projector_;
  const at::Tensor& text_;
  at::Tensor columns_;
  const config::AlignOptions& options_;
  distributed::Communicator& communicator_;
  BlockCut cut_;
  distributed::Range mine_;
  Adam adam_;
  std::vector<float> gradient_;
  double loss_ = 0.0;
};

}  // namespace

AlignmentBounds alignment_bounds(std::int64_t count, double temperature) {
  if (count < 2) {
    return {};
  }
  const auto n = static_cast<double>(count);
  return {2.0 * std::log(n),
          2.0 * std::log1p((n - 1.0) * std::exp(-n / ((n - 1.0) * temperature)))};
}

std::int64_t alignment_block_rows(std::int64_t rows) {
  return std::max(kFewestRows, (rows + kMostBlocks - 1) / kMostBlocks);
}

std::vector<double> train_projector(models::Projector& projector, const at::Tensor& text,
                                    const at::Tensor& graph, const config::AlignOptions& options,
                                    distributed::Communicator& communicator,
                                    const std::function<void(std::int64_t, double)>& on_step) {
  RALLREC_CHECK(text.size(0) == graph.size(0), "train_projector: text and graph rows differ");
  ProjectorTrainer trainer(projector, text, graph, options, communicator);
  std::vector<double> losses;
  for (std::int64_t step = 1; step <= options.steps; ++step) {
    losses.push_back(trainer.step());
    if (!std::isfinite(losses.back())) {
      throw Error(ExitCode::kNonFinite,
                  "align: the loss of step " + std::to_string(step) +
                      " is not finite; a smaller align.learning_rate may help");
    }
    if (on_step) {
      on_step(step, losses.back());
    }
  }
  return losses;
}

at::Tensor project_rows(const models::Projector& projector, const at::Tensor& text,
                        distributed::Communicator& communicator) {
  const at::NoGradGuard no_grad;
  const BlockCut cut(text.size(0));
  const auto mine = cut.blocks_of(communicator.size(), communicator.rank());
  const std::int64_t width = projector.shape().output;
  const std::int64_t first = cut.row(mine.begin);
  at::Tensor own = at::empty({cut.row(mine.end) - first, width});
  for (std::size_t block = mine.begin; block < mine.end; ++block) {
    own.slice(0, cut.row(block) - first, cut.row(block + 1) - first)
        .copy_(projector.forward(text.slice(0, cut.row(block), cut.row(block + 1))));
  }
  at::Tensor all = at::empty({text.size(0), width});
  communicator.all_gather_v(own.const_data_ptr<float>(), all.data_ptr<float>(),
                            cut.counts(communicator.size(), width, 0),
                            distributed::DType::kFloat32);
  return all;
}

}  // namespace rallrec::train
