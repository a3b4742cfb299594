#pragma once

// The stand-in for NVTX in the host SIMT build: the names this project uses, kept in a list that
// tests read (tests/support/simt/ranges.h).
int nvtxRangePushA(const char* name);
int nvtxRangePop();
