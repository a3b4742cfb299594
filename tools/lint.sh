#!/usr/bin/env bash
# Checks that do not need a build: formatting, the layering of src/, shell and Python syntax.
# The house-style figures are printed at the end; they are a mirror, not a gate.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files '*.h' '*.cc' '*.cu' '*.cuh' | xargs --no-run-if-empty clang-format --dry-run --Werror
python3 tools/check_layers.py .
git ls-files '*.sh' .ci/run | xargs --no-run-if-empty -n1 bash -n
git ls-files '*.py' | xargs --no-run-if-empty python3 -m py_compile
python3 tools/check_shape.py .
