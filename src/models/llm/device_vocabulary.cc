#include "models/llm/device_vocabulary.h"

#include <algorithm>

#include "core/check.h"
#include "kernels/bfloat16.h"
#include "kernels/embedding_gather.h"
#include "kernels/label_loss.h"
#include "kernels/linear.h"
#include "kernels/scaled_transpose.h"

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kRowsPerRead = 4096;
constexpr const char* kSetting = "the model";

bool fits_bfloat16(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) {
    return kernels::widened_bfloat16(kernels::rounded_to_bfloat16(value)) == value;
  });
}

}  // namespace

DeviceTable::DeviceTable(const LlmConfig& config, bool round, const FloatSource& source,
                         const std::string& name, const Queue& queue)
    : queue_(queue),
      vocabulary_(config.vocab_size),
      hidden_(config.hidden_size),
      narrow_(queue, kSetting),
      wide_(queue, kSetting) {
  fill(source, name, round);
}

// A number that bf16 would change, wherever in the table, makes all of it fp32: it is read again.
void DeviceTable::fill(const FloatSource& source, const std::string& name, bool round) {
  const std::vector<std::int64_t> shape = {vocabulary_, hidden_};
  const auto size = static_cast<std::size_t>(vocabulary_ * hidden_);
  bool narrow = true;
  narrow_.resize(size);
  for (std::int64_t begin = 0; begin < vocabulary_ && narrow; begin += kRowsPerRead) {
    const std::int64_t count = std::min(kRowsPerRead, vocabulary_ - begin);
    const std::vector<float> values = source(name, shape, {begin, count});
    narrow = round || fits_bfloat16(values);
    std::vector<std::uint16_t> rounded;
    for (const float value : values) {
      rounded.push_back(kernels::rounded_to_bfloat16(value));
    }
    copy_to_device(queue_, narrow_.data() + begin * hidden_, rounded.data(),
                   rounded.size() * sizeof(std::uint16_t));
  }
  if (narrow) {
    return;
  }
  narrow_ = DeviceArray<std::uint16_t>(queue_, kSetting);
  wide_.resize(size);
  for (std::int64_t begin = 0; begin < vocabulary_; begin += kRowsPerRead) {
    const std::int64_t count = std::min(kRowsPerRead, vocabulary_ - begin);
    const std::vector<float> values = source(name, shape, {begin, count});
    copy_to_device(queue_, wide_.data() + begin * hidden_, values.data(),
                   values.size() * sizeof(float));
  }
}

void DeviceTable::gather(const std::vector<std::int64_t>& ids, const Rows& y) const {
  RALLREC_CHECK(y.rows == static_cast<std::int64_t>(ids.size()) && y.columns == hidden_,
                "DeviceTable: a row per id");
  const DeviceArray<std::int64_t> places(queue_, "the batch", ids);
  const bool wide = wide_.size() > 0;
  kernels::embedding_gather(queue_,
                            wide ? kernels::TableType::kFloat32 : kernels::TableType::kBfloat16,
                            wide ? static_cast<const void*>(wide_.data()) : narrow_.data(),
                            vocabulary_, hidden_, places.data(), y.rows, y.data);
}

kernels::HeadPart DeviceTable::head() const {
  kernels::HeadPart part;
  if (wide_.size() > 0) {
    part.fp32 = wide_.data();
  } else {
    part.bf16 = narrow_.data();
  }
  part.vocabulary = vocabulary_;
  part.hidden = hidden_;
  return part;
}

DeviceVocabulary::DeviceVocabulary(const LlmConfig& config, bool round, const FloatSource& source,
                                   const Queue& queue)
    : final_norm_(queue, kSetting,
                  source("model.norm.weight", {config.hidden_size}, {0, config.hidden_size})),
      embedding_(config, round, source, "model.embed_tokens.weight", queue),
      own_head_(config.tied_embeddings ? nullptr
                                       : std::make_unique<DeviceTable>(config, round, source,
                                                                       "lm_head.weight", queue)),
      chunk_(queue, "the batch"),
      turned_(queue, "the batch") {}

std::int64_t DeviceVocabulary::bytes() const {
  return static_cast<std::int64_t>(4 * final_norm_.size()) + embedding_.bytes() +
         (own_head_ ? own_head_->bytes() : 0);
}

// The kernel gives logits transposed, [vocabulary, width].
void DeviceVocabulary::logits(const Rows& hidden, const Rows& logits) const {
  const Queue& queue = head().queue();
  const kernels::HeadPart part = head().head();
  for (std::int64_t begin = 0; begin < hidden.rows; begin += kernels::kHeadRows) {
    const std::int64_t count = std::min(kernels::kHeadRows, hidden.rows - begin);
    const std::int64_t width = kernels::head_width(count);
    chunk_.resize(static_cast<std::size_t>(part.rows() * width));
    turned_.resize(chunk_.size());
    kernels::head_logits(queue, part, count, hidden.part(begin, count).data, nullptr, chunk_.data(),
                         nullptr);
    kernels::scaled_transpose(queue, part.rows(), width, 1.0F, chunk_.data(), turned_.data());
    copy_to_host(queue, logits.part(begin, count).data, turned_.data(),
                 static_cast<std::size_t>(count * part.rows()) * sizeof(float));
  }
}

void DeviceVocabulary::logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                                 const Rows& logits) const {
  const Queue& queue = head().queue();
  DeviceArray<float> rows(queue, "the batch");
  DeviceArray<float> products(queue, "the batch");
  rows.resize(ids.size() * static_cast<std::size_t>(head().hidden()));
  products.resize(static_cast<std::size_t>(logits.count()));
  const auto count = static_cast<std::int64_t>(ids.size());
  head().gather(ids, {rows.data(), count, head().hidden()});
  kernels::linear(queue, {hidden.rows, hidden.columns, count}, hidden.data, rows.data(), nullptr,
                  products.data());
  copy_to_host(queue, logits.data, products.data(), products.size() * sizeof(float));
}

std::vector<float> DeviceVocabulary::losses(const Rows& hidden,
                                            const std::vector<std::int64_t>& ids, double loss_scale,
                                            const Rows& d_hidden) const {
  RALLREC_CHECK(
      hidden.rows == static_cast<std::int64_t>(ids.size()) && hidden.columns == head().hidden(),
      "LmHead: one id per row of hidden states");
  const Queue& queue = head().queue();
  const DeviceArray<std::int64_t> labels(queue, "the batch", ids);
  DeviceArray<float> losses(queue, "the batch");
  losses.resize(ids.size());
  kernels::label_loss(queue, head().head(), hidden.rows, hidden.data, labels.data(), loss_scale,
                      losses.data(), d_hidden.data);
  return losses.host();
}

}  // namespace rallrec::models::llm
