#pragma once

#include "simt_types.h"

// The built-in variables of the thread that runs, set at every switch.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
