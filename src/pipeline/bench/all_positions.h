#pragma once

#include "pipeline/bench/step.h"

namespace rallrec::pipeline {

// Times the step with the head on label positions against one that works out the logits and the
// loss of every token, as stacks do that compute all logits; four prompts to a micro-batch, packed,
// in both. Verified by the losses at the label positions. Collective.
void time_all_positions(const BenchStep& step, models::llm::CausalLm& model,
                        const models::llm::LoraAdapter& adapter);

}  // namespace rallrec::pipeline
