#include <ATen/Functions.h>

#include <algorithm>

#include "core/error.h"
#include "pipeline/bench/line.h"
#include "retrieval/catalogue_search.h"

namespace rallrec::pipeline {
namespace {

constexpr std::int64_t kBest = 100;
// Queries that libtorch scores at once, so that its scores fit in memory.
constexpr std::int64_t kBlock = 256;

at::Tensor random_rows(std::int64_t rows, std::int64_t width) {
  const at::Tensor values = at::randn({rows, width});
  return values / values.norm(2, {1}, true);
}

// The best scores [queries, k] by libtorch, one block of queries at a time.
at::Tensor plain_search(const at::Tensor& queries, const at::Tensor& items, std::int64_t k) {
  std::vector<at::Tensor> found;
  for (std::int64_t q = 0; q < queries.size(0); q += kBlock) {
    const at::Tensor block = queries.slice(0, q, std::min(q + kBlock, queries.size(0)));
    found.push_back(std::get<0>(at::topk(at::matmul(block, items.t()), k)));
  }
  return at::cat(found);
}

}  // namespace

void bench_retrieve(const BenchRun& run) {
  const BenchRequest& request = run.request;
  if (request.items < 1 || request.width < 1) {
    throw_usage("bench retrieve: --items and --width must be positive");
  }
  at::manual_seed(1);
  const at::Tensor items = random_rows(request.items, request.width);
  const at::Tensor queries = random_rows(request.count, request.width);
  const std::int64_t k = std::min(kBest, request.items);
  const kernels::NearestTask task{queries.const_data_ptr<float>(),
                                  queries.size(0),
                                  items.const_data_ptr<float>(),
                                  items.size(0),
                                  request.width,
                                  k};
  retrieval::CatalogueHits hits;
  at::Tensor plain;
  const auto seconds =
      time_arms({[&] { hits = retrieval::search_catalogue(task, run.communicator); },
                 [&] { plain = plain_search(queries, items, k); }},
                request.repeats, run.communicator);
  const at::Tensor ours = at::from_blob(hits.scores.data(), plain.sizes(), at::kFloat);
  BenchLine line;
  line.bench = "retrieve";
  line.verified = (ours - plain).abs().max().item<double>();
  require_agreement("retrieve: scores", line.verified, 1e-5);
  line.work = static_cast<double>(kernels::nearest_rows_work(task).flops);
  line.more = {{"items", static_cast<double>(request.items)},
               {"width", static_cast<double>(request.width)},
               {"k", static_cast<double>(k)},
               {"queries", static_cast<double>(queries.size(0))}};
  print_pair(line, {"in blocks", "plain libtorch"}, seconds, run);
}

}  // namespace rallrec::pipeline
