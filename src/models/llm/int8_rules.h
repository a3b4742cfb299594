#pragma once

#include "kernels/int8_outliers.h"

namespace rallrec::models::llm {

// At 6 SmolLM2's LoRA gradients are as near to fp32's as with 16-bit activations, and one value in
// 200 is an outlier (docs/benchmarks/quantisation.md).
constexpr float kRmsOutlierLimit = 6.0F;
// LLM.int8's threshold (Dettmers et al., arXiv 2208.07339).
constexpr float kMagnitudeOutlierLimit = 6.0F;

// Which activations w8a8 keeps out of int8, and which ones llm_int8 does.
constexpr kernels::OutlierRule kRmsOutliers{kernels::OutlierRule::Kind::kTimesRms,
                                            kRmsOutlierLimit};
constexpr kernels::OutlierRule kPaperOutliers{kernels::OutlierRule::Kind::kMagnitude,
                                              kMagnitudeOutlierLimit};

}  // namespace rallrec::models::llm
