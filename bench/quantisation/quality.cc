// Quality and speed of the quantisation modes on a real model: cosine to fp32 of logits, of mean
// hidden states (embed) and of each layer's LoRA gradients, the last also to w8a16, which has the
// same weights; beside them what the modes' formulas give in double.
//
// usage: quantisation_quality MODEL PROMPTS.jsonl COUNT [ARM…]
// Prompts have the keys `input` and `output`. An arm is a mode of --quant, or one of
// formula_{w8a16,w8a8,w8a8_no_outliers,llm_int8,llm_int8_columns}.
// fp32 and w8a16 always run. Without arms: all modes. OMP_NUM_THREADS sets the threads.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/parallel_for.h"
#include "core/stopwatch.h"
#include "formula_weights.h"
#include "io/jsonl.h"
#include "io/safetensors.h"
#include "models/llm/llama_causal_lm.h"
#include "models/llm/make_weights.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace rallrec::bench {
namespace {

using namespace models::llm;

struct Prompts {
  std::vector<text::LabelledIds> framed;
  std::vector<std::vector<std::int64_t>> bare;
};

Prompts read_prompts(const std::string& model, const std::string& path, std::size_t count) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(model);
  const text::ChatTemplate chat(tokenizer, {});
  Prompts prompts;
  io::for_each_record(path, {}, [&](const io::JsonRecord& record) {
    if (prompts.bare.size() < count) {
      const std::string input = record.get_string("input");
      prompts.framed.push_back(chat.training_ids("", input, record.get_string("output")));
      prompts.bare.push_back(tokenizer.encode(input));
    }
  });
  return prompts;
}

std::unique_ptr<WeightStore> make_weights(const std::string& arm, const LlmConfig& config,
                                          const TensorSource& source) {
  using Forward = Formula::Forward;
  const std::map<std::string, Formula> formulas = {
      {"formula_w8a16", {Forward::kW8a16, false, false, 0.0}},
      {"formula_w8a8", {Forward::kW8a8, true, false, 6.0}},
      {"formula_w8a8_no_outliers", {Forward::kW8a8, true, false, 0.0}},
      {"formula_llm_int8", {Forward::kLlmInt8, false, false, 0.0}},
      {"formula_llm_int8_columns", {Forward::kLlmInt8, false, true, 0.0}},
  };
  const auto formula = formulas.find(arm);
  if (formula != formulas.end()) {
    return make_formula_weights(config, formula->second, source);
  }
  return make_weights(config, quant_mode_of(arm), source);
}

// What an arm computes.
struct Outcome {
  at::Tensor framed_logits, bare_logits;  // at the last token of each prompt
  at::Tensor framed_mean, bare_mean;      // mean hidden state of each prompt
  at::Tensor gradient;                    // of the answers' losses, all prompts
  double forward_seconds = 0.0, step_seconds = 0.0;
};

PackedBatch pack(const std::vector<std::vector<std::int64_t>>& sequences) {
  PackedBatch batch{{}, {0}};
  for (const auto& ids : sequences) {
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.offsets.push_back(batch.tokens());
  }
  return batch;
}

void run_forward(CausalLm& model, const LoraAdapter& adapter,
                 const std::vector<std::vector<std::int64_t>>& sequences, at::Tensor& logits,
                 at::Tensor& means) {
  const PackedBatch batch = pack(sequences);
  const at::Tensor hidden = model.hidden_states(batch, &adapter);
  std::vector<at::Tensor> last;
  std::vector<at::Tensor> mean;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    const auto length = static_cast<std::int64_t>(sequences[s].size());
    const at::Tensor rows = hidden.narrow(0, batch.offsets[s], length);
    last.push_back(rows.narrow(0, length - 1, 1));
    mean.push_back(rows.mean(0, true));
  }
  logits = model.logits(at::cat(last));
  means = at::cat(mean);
}

MicroBatch micro_batch(const Prompts& prompts) {
  MicroBatch made;
  made.batch.offsets = {0};
  for (const text::LabelledIds& prompt : prompts.framed) {
    const std::int64_t begin = made.batch.tokens();
    made.samples.push_back(static_cast<std::int64_t>(made.samples.size()));
    for (std::size_t i = prompt.first_label; i < prompt.ids.size(); ++i) {
      made.label_positions.push_back(begin + static_cast<std::int64_t>(i) - 1);
      made.label_ids.push_back(prompt.ids[i]);
    }
    made.batch.ids.insert(made.batch.ids.end(), prompt.ids.begin(), prompt.ids.end());
    made.batch.offsets.push_back(made.batch.tokens());
  }
  return made;
}

Outcome run_arm(const std::string& arm, const LlmConfig& config, const TensorSource& source,
                const Prompts& prompts, const LoraAdapter& adapter) {
  LlamaCausalLm model(config, make_weights(arm, config, source));
  std::vector<std::vector<std::int64_t>> questions;
  for (const text::LabelledIds& prompt : prompts.framed) {
    const auto end = prompt.ids.begin() + static_cast<std::ptrdiff_t>(prompt.first_label);
    questions.emplace_back(prompt.ids.begin(), end);
  }
  Outcome outcome;
  run_forward(model, adapter, {questions.front()}, outcome.framed_logits, outcome.framed_mean);
  const Stopwatch forward;
  run_forward(model, adapter, questions, outcome.framed_logits, outcome.framed_mean);
  outcome.forward_seconds = forward.seconds();
  run_forward(model, adapter, prompts.bare, outcome.bare_logits, outcome.bare_mean);
  const Stopwatch step;
  outcome.gradient = model.forward_backward({micro_batch(prompts)}, adapter, {}, 1.0)[0].gradient;
  outcome.step_seconds = step.seconds();
  return outcome;
}

struct Spread {
  double mean, least;
};

Spread row_cosines(const at::Tensor& got, const at::Tensor& want) {
  const at::Tensor cosine = at::cosine_similarity(got.to(at::kDouble), want.to(at::kDouble), 1);
  return {cosine.mean().item<double>(), cosine.min().item<double>()};
}

// Over layers, all LoRA parameters of a layer as one vector.
Spread layer_cosines(const at::Tensor& got, const at::Tensor& want, std::int64_t layers) {
  return row_cosines(got.view({layers, -1}), want.view({layers, -1}));
}

void print_row(const std::string& arm, const Outcome& got, const Outcome& want,
               const Outcome& same_weights, std::int64_t layers) {
  std::printf("| %s ", arm.c_str());
  for (const Spread& spread :
       {row_cosines(got.framed_logits, want.framed_logits),
        row_cosines(got.bare_logits, want.bare_logits), row_cosines(got.bare_mean, want.bare_mean),
        layer_cosines(got.gradient, want.gradient, layers),
        layer_cosines(got.gradient, same_weights.gradient, layers)}) {
    std::printf("| %.5f (%.5f) ", spread.mean, spread.least);
  }
  std::printf("| %.2f | %.2f |\n", got.forward_seconds, got.step_seconds);
  std::fflush(stdout);
}

int run(const std::vector<std::string>& arguments) {
  const char* threads = std::getenv("OMP_NUM_THREADS");
  set_thread_count(threads == nullptr ? 1 : std::max(1, std::atoi(threads)));
  at::set_num_threads(thread_count());
  const std::string& folder = arguments.at(0);
  const LlmConfig config = read_llm_config(folder);
  const io::SafetensorsFolder tensors(folder);
  const TensorSource source = [&tensors](const std::string& name,
                                         const std::vector<std::int64_t>& shape, RowRange rows) {
    std::vector<std::int64_t> size = shape;
    size.front() = rows.count;
    at::Tensor tensor = at::empty(size, at::kFloat);
    tensors.read_rows_as_float(name, rows.first, rows.count, tensor.data_ptr<float>());
    return tensor;
  };
  const Prompts prompts = read_prompts(folder, arguments.at(1), std::stoul(arguments.at(2)));
  std::vector<std::string> arms(arguments.begin() + 3, arguments.end());
  if (arms.empty()) {
    arms = {"bf16", "w8a8", "llm_int8"};
  }
  LoraAdapter adapter(config, {8, 16.0, 0.0, {"q_proj", "v_proj"}}, 5);
  at::manual_seed(5);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const std::string& module : adapter.options().modules) {
      adapter.b(layer, module).normal_(0.0, 0.01);
    }
  }
  std::printf(
      "%zu prompts, %ld framed and %ld bare tokens, %d threads; mean (least) cosine to fp32\n"
      "| arm | logits, framed | logits, bare | mean state, bare | LoRA gradient by layer | the "
      "same to w8a16 | forward, s "
      "| step, s |\n|---|---|---|---|---|---|---|---|\n",
      prompts.bare.size(), long(micro_batch(prompts).batch.tokens()),
      long(pack(prompts.bare).tokens()), thread_count());
  const Outcome want = run_arm("fp32", config, source, prompts, adapter);
  const Outcome same = run_arm("w8a16", config, source, prompts, adapter);
  print_row("fp32", want, want, same, config.layers);
  print_row("w8a16", same, want, same, config.layers);
  for (const std::string& arm : arms) {
    print_row(arm, run_arm(arm, config, source, prompts, adapter), want, same, config.layers);
  }
  return 0;
}

}  // namespace
}  // namespace rallrec::bench

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s MODEL PROMPTS.jsonl COUNT [ARM...]\n", argv[0]);
    return 64;
  }
  try {
    return rallrec::bench::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
