#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/device_array.h"
#include "kernels/vocabulary_head.h"
#include "models/llm/float_source.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// A table [vocab, hidden] in the memory of a queue: bf16 where that keeps every number or `round`
// asks for it, else fp32. Read a few rows at a time.
class DeviceTable {
 public:
  DeviceTable(const LlmConfig& config, bool round, const FloatSource& source,
              const std::string& name, const Queue& queue);

  // y [ids, hidden] = rows `ids`, fp32.
  void gather(const std::vector<std::int64_t>& ids, const Rows& y) const;
  // All of it as a head.
  kernels::HeadPart head() const;
  const Queue& queue() const { return queue_; }
  std::int64_t hidden() const { return hidden_; }
  std::int64_t vocabulary() const { return vocabulary_; }
  std::int64_t bytes() const {
    return static_cast<std::int64_t>(2 * narrow_.size() + 4 * wide_.size());
  }

 private:
  void fill(const FloatSource& source, const std::string& name, bool round);

  Queue queue_;
  std::int64_t vocabulary_;
  std::int64_t hidden_;
  // One of them.
  DeviceArray<std::uint16_t> narrow_;
  DeviceArray<float> wide_;
};

// What stands before and after the decoder layers, in the memory of a queue: embedding table, final
// norm and head.
class DeviceVocabulary : public LmHead {
 public:
  DeviceVocabulary(const LlmConfig& config, bool round, const FloatSource& source,
                   const Queue& queue);

  void embed(const std::vector<std::int64_t>& ids, const Rows& y) const {
    embedding_.gather(ids, y);
  }
  const float* final_norm() const { return final_norm_.data(); }
  std::int64_t bytes() const;

  void logits(const Rows& hidden, const Rows& logits) const override;
  void logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                 const Rows& logits) const override;
  std::vector<float> losses(const Rows& hidden, const std::vector<std::int64_t>& ids,
                            double loss_scale, const Rows& d_hidden) const override;

 private:
  const DeviceTable& head() const { return own_head_ ? *own_head_ : embedding_; }

  DeviceArray<float> final_norm_;
  DeviceTable embedding_;
  std::unique_ptr<DeviceTable> own_head_;  // where the head is not the embedding table
  // Logits of some rows, as the kernel gives them and turned; kept, since a GPU waits for memory.
  mutable DeviceArray<float> chunk_;
  mutable DeviceArray<float> turned_;
};

}  // namespace rallrec::models::llm
