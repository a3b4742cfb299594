#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::metrics {

// -log of the probability given to the label: p for 1, 1 - p for 0, with p clipped to [eps, 1 -
// eps] and eps = 2^-52, the machine epsilon of double, as scikit-learn does.
double sample_log_loss(double p, std::uint8_t label);

// The mean over samples; 0 samples give NaN.
double log_loss(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels);

// The share of samples for which (p > 0.5) equals the label; 0 samples give NaN.
double accuracy(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels);
bool is_correct(double p, std::uint8_t label);

}  // namespace rallrec::metrics
