#pragma once

namespace rallrec {

// Throws Error (usage) where this build has no CUDA, there is no driver or one that is too old, no
// GPU is visible, or this build has no code for one of the visible GPUs. The message names the
// cure. Which GPU a rank takes: distributed/place.h.
void require_usable_gpu();

}  // namespace rallrec
