// One stage at the number of ranks it was started with: a point of `rallrec bench scaling`.
#include <ATen/ops/sum.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "core/allowed_cores.h"
#include "core/error.h"
#include "core/host_name.h"
#include "core/parallel_for.h"
#include "distributed/blocking_gathers.h"
#include "pipeline/bench/graph.h"
#include "pipeline/bench/line.h"
#include "pipeline/bench/model.h"
#include "pipeline/bench/step.h"
#include "pipeline/prompt_text.h"
#include "pipeline/text_embedder.h"
#include "train/scorer.h"

namespace rallrec::pipeline {
namespace {

using models::llm::CausalLm;
using More = std::vector<std::pair<std::string, double>>;

// A host's ranks, and the cores that they may use together.
struct HostShare {
  int ranks = 0;
  std::set<std::string> cores;
};

std::map<std::string, HostShare> shares_of_hosts(distributed::Communicator& communicator) {
  const std::string mine = host_name() + " " + allowed_cores_text();
  std::map<std::string, HostShare> hosts;
  for (const std::string& one : distributed::all_gather_strings(communicator, mine)) {
    std::istringstream words(one);
    std::string host;
    words >> host;
    ++hosts[host].ranks;
    for (std::string core; words >> core;) {
      hosts[host].cores.insert(core);
    }
  }
  return hosts;
}

// Where the ranks are, so that nobody takes ranks that share a core for scaling: the host with most
// threads for its cores.
void add_machine(const BenchRun& run, More& more) {
  const auto hosts = shares_of_hosts(run.communicator);
  double cores = 1.0;
  double busy = 0.0;
  for (const auto& [host, share] : hosts) {
    const double threads = static_cast<double>(share.ranks) * thread_count();
    const auto here = static_cast<double>(share.cores.size());
    if (threads * cores > busy * here) {
      busy = threads;
      cores = here;
    }
  }
  more.emplace_back("nodes", static_cast<double>(hosts.size()));
  more.emplace_back("cores_per_node", cores);
  more.emplace_back("threads_per_node", busy);
  more.emplace_back("oversubscribed", busy > cores ? 1.0 : 0.0);
}

// The largest of all ranks' values.
double most_of(double value, distributed::Communicator& communicator) {
  communicator.all_reduce(&value, 1, distributed::DType::kFloat64, distributed::ReduceOp::kMax);
  return value;
}

// A pass over all prompts with a model, which returns a number that sums its results up.
using Pass = std::function<double(CausalLm&)>;

// What the gathers of layers cost a pass: received bytes, seconds waited for, and the seconds that
// they take where nothing is computed meanwhile.
void add_overlap(const BenchRun& run, const Pass& pass, CausalLm& model, double result,
                 BenchLine& line) {
  const auto before = model.gathered();
  pass(model);
  const auto after = model.gathered();
  distributed::BlockingGathers blocking(run.communicator);
  const auto other = bench_model({run.request, run.options, blocking}, model.quant());
  require_agreement("stage: results with and without overlap", std::abs(pass(*other) - result),
                    0.0);
  const double start = blocking.seconds();
  const std::vector<Seconds> seconds = time_arms({[&] { pass(model); }, [&] { pass(*other); }},
                                                 run.request.repeats, run.communicator);
  const double passes = run.request.repeats + 1;
  const double gathers = most_of((blocking.seconds() - start) / passes, run.communicator);
  const auto last = model.gathered();
  const double waited =
      most_of((last.waited_seconds - after.waited_seconds) / passes, run.communicator);
  line.seconds = seconds[0];
  line.more.emplace_back(
      "gathered_bytes", most_of(static_cast<double>(after.bytes - before.bytes), run.communicator));
  line.more.emplace_back("waited_seconds", waited);
  line.more.emplace_back("gather_seconds", gathers);
  line.more.emplace_back("seconds_without_overlap", seconds[1].median);
  line.more.emplace_back("overlap", gathers > 0.0 ? std::max(0.0, 1.0 - waited / gathers) : 0.0);
}

void time_pass(const BenchRun& run, const Pass& pass, double work, CausalLm& model) {
  BenchLine line;
  line.bench = "stage";
  line.arm = run.request.stage;
  line.work = work;
  const double result = pass(model);
  const std::uint64_t sent = run.communicator.bytes_sent();
  pass(model);
  line.more = {{"result", result},
               {"sent_bytes", most_of(static_cast<double>(run.communicator.bytes_sent() - sent),
                                      run.communicator)}};
  if (run.communicator.size() > 1) {
    add_overlap(run, pass, model, result, line);
  } else {
    line.seconds = time_arms({[&] { pass(model); }}, run.request.repeats, run.communicator)[0];
  }
  line.rate = work / line.seconds.median;
  add_machine(run, line.more);
  print_line(line, run);
}

void time_tune(const BenchRun& run) {
  const train::PromptDataset dataset = bench_prompts(run);
  const BenchStep step = make_step(run, dataset);
  const auto model = bench_model(run, run.options.model.quant);
  const models::llm::LoraAdapter adapter = bench_adapter(model->config(), run.options.tune);
  time_pass(
      run, [&](CausalLm& with) { return packed_step(step, with, adapter).loss; },
      static_cast<double>(step.tokens), *model);
}

void time_embed(const BenchRun& run) {
  const train::PromptDataset dataset = bench_prompts(run);
  std::vector<std::vector<std::int64_t>> texts;
  for (const std::int64_t prompt : all_prompts(dataset)) {
    const std::int32_t* ids = dataset.ids_of(prompt);
    texts.emplace_back(ids, ids + dataset.size_of(prompt).tokens);
  }
  const auto model = bench_model(run, run.options.model.quant);
  const Pass pass = [&](CausalLm& with) {
    const at::Tensor vectors = embed_texts(with, texts, run.options.embed, run.communicator);
    double sum = run.communicator.rank() == 0 ? vectors.sum(at::kDouble).item<double>() : 0.0;
    run.communicator.broadcast(&sum, 1, distributed::DType::kFloat64, 0);
    return sum;
  };
  time_pass(run, pass, static_cast<double>(dataset.tokens()), *model);
}

void time_infer(const BenchRun& run) {
  const train::PromptDataset prompts = bench_prompts(run);
  const PromptText text(run.request.model, run.options);
  const text::LabelWords words = text::label_words(text.tokenizer());
  const auto model = bench_model(run, run.options.model.quant);
  const Pass pass = [&](CausalLm& with) {
    double sum = 0.0;
    for (const train::Score& score :
         train::score_prompts(with, nullptr, prompts, words,
                              {run.options.infer.token_budget, false}, run.communicator)) {
      sum += score.logit_yes - score.logit_no;
    }
    return sum;
  };
  time_pass(run, pass, static_cast<double>(prompts.tokens()), *model);
}

void time_light_gcn(const BenchRun& run) {
  const data::CsrGraph graph = bench_graph(run.request);
  const std::uint64_t sent = run.communicator.bytes_sent();
  const GraphEpochs epochs = run_graph_epochs(graph, run);
  const double all = static_cast<double>(run.communicator.bytes_sent() - sent);
  BenchLine line;
  line.bench = "stage";
  line.arm = "light_gcn";
  line.seconds = seconds_of(epochs.seconds);
  line.work = static_cast<double>(graph.edges());
  line.rate = line.work / line.seconds.median;
  line.more = {{"result", epochs.loss},
               {"sent_bytes", most_of(all / (run.request.repeats + 1), run.communicator)}};
  add_machine(run, line.more);
  print_line(line, run);
}

}  // namespace

void bench_stage(const BenchRun& run) {
  static const std::map<std::string, void (*)(const BenchRun&)> stages = {
      {"tune", time_tune},
      {"embed", time_embed},
      {"infer", time_infer},
      {"light_gcn", time_light_gcn}};
  const auto stage = stages.find(run.request.stage);
  if (stage == stages.end()) {
    throw_usage("bench: --stage " + run.request.stage +
                ": expected tune, embed, infer or light_gcn");
  }
  if (stage->first != "light_gcn" && (run.request.model.empty() || run.request.input.empty())) {
    throw_usage("bench: --stage " + stage->first + " needs --model DIR and --input FILE");
  }
  stage->second(run);
}

}  // namespace rallrec::pipeline
