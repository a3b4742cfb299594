// The four id-feature models as their papers write them, in double, on one sample at a time.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "config/sizes.h"
#include "models/ctr/ctr_model.h"

namespace rallrec::testing {

using Doubles = std::vector<double>;

// Reads parameters one after the other.
class ReferenceModel {
 public:
  ReferenceModel(std::string name, const models::ctr::CtrShape& shape,
                 const config::BaselineOptions& options)
      : name_(std::move(name)), shape_(shape), options_(options) {}

  // The logit without a first-order term; e is [fields, dim].
  double logit(const Doubles& parameters, const Doubles& e) {
    next_ = parameters.data();
    double sum = 0.0;
    if (name_ == "deep_fm") {
      sum = pairs(e);
    } else if (name_ == "dcn") {
      sum = cross(e);
    } else if (name_ == "x_deep_fm") {
      sum = interactions(e);
    } else {
      sum = attention(e);
    }
    sum += mlp(e);
    used_ = next_ - parameters.data();
    return sum;
  }
  // Parameters that the last logit read.
  std::int64_t used() const { return used_; }

 private:
  double take() { return *next_++; }
  // W x with the next [outputs, x.size()] parameters.
  Doubles product(std::int64_t outputs, const Doubles& x) {
    Doubles y(static_cast<std::size_t>(outputs));
    for (double& to : y) {
      for (const double value : x) to += take() * value;
    }
    return y;
  }
  double weighted(const Doubles& x) { return product(1, x)[0]; }

  double mlp(Doubles h) {
    for (const std::int64_t size : config::read_sizes(options_.mlp_sizes)) {
      h = product(size, h);
      for (double& value : h) value = std::fmax(value + take(), 0.0);
    }
    const double output = weighted(h);
    return output + take();
  }

  double at(const Doubles& e, std::int64_t field, std::int64_t d) const {
    return e[static_cast<std::size_t>(field * shape_.dim + d)];
  }

  double pairs(const Doubles& e) const {
    double sum = 0.0;
    for (std::int64_t i = 0; i < shape_.fields; ++i) {
      for (std::int64_t j = i + 1; j < shape_.fields; ++j) {
        for (std::int64_t d = 0; d < shape_.dim; ++d) sum += at(e, i, d) * at(e, j, d);
      }
    }
    return sum;
  }

  double cross(const Doubles& x0) {
    Doubles x = x0;
    for (std::int64_t l = 0; l < options_.cross_layers; ++l) {
      const double along = weighted(x);
      for (std::size_t c = 0; c < x.size(); ++c) x[c] += x0[c] * along + take();
    }
    return weighted(x);
  }

  double interactions(const Doubles& e) {
    Doubles maps = e;
    double sum = 0.0;
    for (const std::int64_t outputs : config::read_sizes(options_.cin_sizes)) {
      const auto inputs = static_cast<std::int64_t>(maps.size()) / shape_.dim;
      Doubles next(static_cast<std::size_t>(outputs * shape_.dim));
      for (std::int64_t h = 0; h < outputs; ++h) {
        for (std::int64_t i = 0; i < inputs; ++i) {
          for (std::int64_t j = 0; j < shape_.fields; ++j) {
            const double w = take();
            for (std::int64_t d = 0; d < shape_.dim; ++d) {
              next[static_cast<std::size_t>(h * shape_.dim + d)] +=
                  w * at(maps, i, d) * at(e, j, d);
            }
          }
        }
      }
      maps = next;
      for (std::int64_t h = 0; h < outputs; ++h) {
        const double w = take();
        for (std::int64_t d = 0; d < shape_.dim; ++d) sum += w * at(maps, h, d);
      }
    }
    return sum;
  }

  // What `size` rows of the next matrix make of each field.
  std::vector<Doubles> project(const std::vector<Doubles>& fields, std::int64_t size) {
    const double* first = next_;
    std::vector<Doubles> out;
    for (const Doubles& field : fields) {
      next_ = first;
      out.push_back(product(size, field));
    }
    return out;
  }

  double attention(const Doubles& e) {
    std::vector<Doubles> fields;
    for (std::int64_t f = 0; f < shape_.fields; ++f) {
      fields.emplace_back(e.begin() + f * shape_.dim, e.begin() + (f + 1) * shape_.dim);
    }
    for (std::int64_t l = 0; l < options_.attention_layers; ++l) {
      const auto q = project(fields, options_.attention_size);
      const auto k = project(fields, options_.attention_size);
      const auto v = project(fields, options_.attention_size);
      fields = attend(q, k, v, project(fields, options_.attention_size));
    }
    Doubles joined;
    for (const Doubles& field : fields) joined.insert(joined.end(), field.begin(), field.end());
    return weighted(joined);
  }

  std::vector<Doubles> attend(const std::vector<Doubles>& q, const std::vector<Doubles>& k,
                              const std::vector<Doubles>& v, std::vector<Doubles> out) const {
    const auto size = static_cast<std::size_t>(options_.attention_size / options_.attention_heads);
    for (std::size_t i = 0; i < q.size(); ++i) {
      for (std::size_t first = 0; first < q[i].size(); first += size) {
        double norm = 0.0;
        Doubles sum(size);
        for (std::size_t j = 0; j < k.size(); ++j) {
          double score = 0.0;
          for (std::size_t d = first; d < first + size; ++d) score += q[i][d] * k[j][d];
          const double power = std::exp(score / std::sqrt(static_cast<double>(size)));
          norm += power;
          for (std::size_t d = 0; d < size; ++d) sum[d] += power * v[j][first + d];
        }
        for (std::size_t d = 0; d < size; ++d) out[i][first + d] += sum[d] / norm;
      }
      for (double& value : out[i]) value = std::fmax(value, 0.0);
    }
    return out;
  }

  std::string name_;
  models::ctr::CtrShape shape_;
  config::BaselineOptions options_;
  const double* next_ = nullptr;
  std::int64_t used_ = 0;
};

}  // namespace rallrec::testing
