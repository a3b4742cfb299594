#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "core/device.h"

namespace rallrec::models::ctr {

// What a model needs to know of its features: x of a sample is [fields, dim].
struct CtrShape {
  std::int64_t fields = 0;
  std::int64_t dim = 0;

  std::int64_t width() const { return fields * dim; }
};

// Some samples whose feature embeddings are at hand, in the memory of the model's device.
struct CtrBlock {
  std::int64_t rows = 0;
  const float* x = nullptr;               // [rows, fields, dim]
  const std::int64_t* samples = nullptr;  // [rows] numbers that name the dropout masks
  std::uint64_t epoch = 0;                // which names them too
  bool training = false;                  // masks are applied
};

// An id-feature model without its embedding tables: the logit of a sample from the embeddings of
// its features. Parameters are one flat fp32 vector that the caller owns; a model holds only the
// activations between forward and backward, so each thread has a model of its own. fp32, on the
// device of the model's queue, where all pointers but initialise's are and calls only enqueue on a
// GPU; a sample's logit does not depend on the samples beside it, and no result on the threads.
class CtrModel {
 public:
  virtual ~CtrModel() = default;

  // Whether the logit has a first-order term, the sum of a weight per feature, which the caller
  // keeps beside the embeddings and adds.
  virtual bool has_first_order() const = 0;
  virtual std::int64_t parameter_count() const = 0;
  // A pure function of the seed, in host memory.
  virtual void initialise(std::uint64_t seed, float* parameters) const = 0;

  // logits [rows], without the first-order term.
  virtual void forward(const float* parameters, const CtrBlock& block, float* logits) = 0;
  // After forward on the same parameters and block. Writes over gradient [parameter_count()],
  // summed over the block, and dx [rows, fields, dim].
  virtual void backward(const float* parameters, const CtrBlock& block, const float* dlogits,
                        float* gradient, float* dx) = 0;
};

// The names of the models, as commands and folders have them.
const std::vector<std::string>& ctr_model_names();

// Throws Error (usage) that lists the names where `name` is none of them. `options` gives sizes,
// dropout and its seed. The queue's stream must outlive the model.
std::unique_ptr<CtrModel> make_ctr_model(const std::string& name, const CtrShape& shape,
                                         const config::BaselineOptions& options,
                                         const Queue& queue = {});

}  // namespace rallrec::models::ctr
