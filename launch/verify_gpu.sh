#!/usr/bin/env bash
# All that only a GPU can show, by one command: builds with CUDA, runs every test with RALLREC_REQUIRE_GPU=1, the GPU
# tests under compute-sanitizer, the comparisons of bits (D1, D3), the LLM's commands against the CPU's, and the benches
# of the GPU targets, and writes docs/benchmarks/gpu_<device>_<yyyymm>.md.
#
# usage: launch/verify_gpu.sh [--jobs N] [--build DIR] [--only STEP[,STEP...]] [--skip STEP[,STEP...]] [--help]
#   --jobs N    compilers at a time [all cores]
#   --build DIR where to build [build-cuda]
#   --only, --skip   of the steps tools, build, kernels, driver, tests, memcheck, racecheck, initcheck, repeat, llm,
#               nccl, benches
#
# Needs NVIDIA's driver, a CUDA 13 toolkit, Python 3.11 or newer with torch 2.11 and numpy, cmake and ninja; and
# Debian's packages that tools/setup.sh names, or the folder sysroot/ of a bundle (make bundle).
# Goes on after a step that failed. Each step's output is in DIR/verify/<step>.log. Without a GPU all that needs none
# runs, and the page is written to DIR/verify/.
#
# ends with  0 all passed on a GPU · 1 a step failed · 3 no GPU: what needs none passed · 64 wrong usage
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

jobs=$(nproc)
build="build-cuda"
only=""
skip=""
usage() { sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"; }
say() { printf 'verify_gpu: %s\n' "$*" >&2; }

while [ $# -gt 0 ]; do
  case "$1" in
    --help) usage && exit 0 ;;
    --jobs | --build | --only | --skip)
      [ $# -ge 2 ] || { say "$1 needs a value" && exit 64; }
      declare "${1#--}=$2" && shift 2
      ;;
    *) say "unknown flag '$1'; see launch/verify_gpu.sh --help" && exit 64 ;;
  esac
done

# shellcheck source=launch/gpu_steps.sh
source launch/gpu_steps.sh

results=$build/verify
rm -rf "$results" && mkdir -p "$results" || exit 1
failed=0

# step NAME COMMAND...: runs it unless it is left out. 0 = passed, 77 = cannot run here (the last line of its output
# says why), anything else = failed. One line of steps.tsv each: name, outcome, seconds, last line.
step() {
  local name=$1 started=$SECONDS outcome code
  shift
  case ",$skip," in *",$name,"*) return 77 ;; esac
  case ",${only:-$name}," in *",$name,"*) ;; *) return 77 ;; esac
  say "$name ..."
  "$@" >"$results/$name.log" 2>&1
  code=$?
  case "$code" in
    0) outcome=passed ;;
    77) outcome="not run" ;;
    *) outcome=failed && failed=1 ;;
  esac
  printf '%s\t%s\t%s\t%s\n' "$name" "$outcome" $((SECONDS - started)) "$(tail -n 1 "$results/$name.log")" \
    >>"$results/steps.tsv"
  say "$name: $outcome ($((SECONDS - started)) s)"
  return "$code"
}

step tools check_tools
[ "$failed" -eq 0 ] || { tail -n 1 "$results/tools.log" >&2 && exit 1; }
use_sysroot
step build build_all
[ "$failed" -eq 0 ] || { tail -n 20 "$results/build.log" >&2 && exit 1; }
step kernels tools/kernel_resources.py --build "$build" --check docs/kernels.md
gpu=none
step driver find_gpu && gpu=$(tail -n 1 "$results/driver.log")
[ "$gpu" = none ] || export RALLREC_REQUIRE_GPU=1
step tests run_tests
for tool in memcheck racecheck initcheck; do
  step "$tool" sanitize "$tool"
done
step repeat compare_runs
step llm compare_llm
step nccl compare_nccl
step benches run_benches

page=$(python3 tools/gpu_report.py --results "$results" --gpu "$gpu" --targets launch/gpu_targets.toml) || exit 1
say "wrote $page"
[ "$failed" -eq 0 ] || { say "failed: $(awk -F'\t' '$2 == "failed" { printf "%s ", $1 }' "$results/steps.tsv")" && exit 1; }
[ "$gpu" != none ] || { say "no GPU: nothing was verified on hardware" && exit 3; }
