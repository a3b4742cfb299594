#include "core/error.h"
#include "io/jsonl.h"
#include "pipeline/bench/line.h"
#include "text/tokenizer.h"

namespace rallrec::pipeline {
namespace {

std::vector<std::string> read_texts(const std::string& path, std::int64_t count) {
  std::vector<std::string> texts;
  io::for_each_record(path, {}, [&](const io::JsonRecord& record) {
    if (static_cast<std::int64_t>(texts.size()) < count) {
      texts.push_back(record.get_string("text"));
    }
  });
  if (texts.empty()) {
    throw_bad_data(path, "holds no text");
  }
  return texts;
}

using Ids = std::vector<std::int64_t>;

void encode_all(const text::Tokenizer& tokenizer, const std::vector<std::string>& texts, Ids& ids) {
  ids.clear();
  for (const std::string& text : texts) {
    tokenizer.encode(text, ids);
  }
}

}  // namespace

void bench_tokenize(const BenchRun& run) {
  const text::Tokenizer tokenizer = text::Tokenizer::load(run.request.model);
  const std::vector<std::string> texts = read_texts(run.request.input, run.request.count);
  double bytes = 0.0;
  for (const std::string& text : texts) {
    bytes += static_cast<double>(text.size());
  }
  Ids ids;
  const auto seconds = time_arms({[&] { encode_all(tokenizer, texts, ids); }}, run.request.repeats,
                                 run.communicator);
  BenchLine line;
  line.bench = "tokenize";
  line.arm = "encode";
  line.seconds = seconds[0];
  line.work = bytes;
  line.rate = bytes / seconds[0].median;
  double sum = 0.0;
  for (const std::int64_t id : ids) {
    sum += static_cast<double>(id);
  }
  line.more = {{"texts", static_cast<double>(texts.size())},
               {"tokens", static_cast<double>(ids.size())},
               {"sum_of_ids", sum}};
  print_line(line, run);
}

}  // namespace rallrec::pipeline
