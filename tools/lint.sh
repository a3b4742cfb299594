#!/usr/bin/env bash
# Checks that do not need a build: formatting, the layering of src/, shellcheck, Python syntax, and
# clang-tidy over the folders that do not see torch (a minute and a half per core; with torch's headers
# it would be half an hour).
# The house-style figures are printed at the end; they are a mirror, not a gate.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.h' '*.cc' '*.cu' '*.cuh' | xargs --no-run-if-empty clang-format --dry-run --Werror
python3 tools/check_layers.py .
git ls-files '*.sh' '*.sbatch' .ci/run launch/container/rallrec | xargs --no-run-if-empty shellcheck -x
git ls-files '*.py' | xargs --no-run-if-empty python3 -m py_compile
cmake --preset release >/dev/null
run-clang-tidy -quiet -p build -j "$(nproc)" \
  '/src/(core|logging|config|kernels|distributed|io|data|text|metrics)/.*\.cc$' \
  2>/dev/null >build/clang_tidy.log || {
  grep -E 'error:|warning:' build/clang_tidy.log | sort -u
  exit 1
}
python3 tools/check_shape.py .
