#pragma once

namespace rallrec {

// Makes GPU number `local_rank` of this host the one that this thread's CUDA calls go to; where
// CUDA_VISIBLE_DEVICES leaves one GPU to each rank, that one (two ranks that share it are found
// when NCCL starts). Never falls back to the CPU: throws Error (usage) where this build has no
// CUDA, there is no driver or one that is too old, no GPU is visible, there are fewer GPUs than the
// `ranks_on_node` ranks of this host, or this build has no code for the GPU. The message names the
// cure.
void choose_gpu(int local_rank, int ranks_on_node);

}  // namespace rallrec
