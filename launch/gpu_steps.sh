# The steps of launch/verify_gpu.sh, which sources this file: functions that end with 0 (passed), 77 (cannot run here;
# the last line says why) or anything else (failed). They use $build, $results, $jobs and $gpu.
# shellcheck shell=bash
# shellcheck disable=SC2154

root=$PWD
cmake_flags=()

# The folder of torch 2.11: this repository's own, else that of python3.
torch_folder() {
  local own
  own=$(echo .deps/venv/lib/python3*/site-packages/torch)
  if [ -d "$own" ]; then
    echo "$root/$own"
  else
    python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))'
  fi
}

check_tools() {
  local missing=()
  for program in cmake ninja python3 c++; do
    command -v "$program" || missing+=("$program")
  done
  PATH="$PATH:/usr/local/cuda/bin:.deps/cuda/nvidia/cu13/bin" command -v nvcc || missing+=("nvcc of CUDA 13")
  "$(python_with_numpy)" -c 'import numpy' || missing+=("numpy for $(python_with_numpy)")
  grep -q '2\.11\.' "$(torch_folder)/version.py" || missing+=("torch 2.11")
  [ ${#missing[@]} -eq 0 ] && return 0
  printf 'missing: %s;' "${missing[@]}"
  echo " see launch/verify_gpu.sh --help"
  return 1
}

# With the sysroot of a bundle: headers and libraries come from there.
use_sysroot() {
  [ -d sysroot ] || return 0
  # shellcheck source=launch/use_sysroot.sh
  source launch/use_sysroot.sh
}

build_all() {
  cmake --preset cuda -B "$build" -DRALLREC_TORCH_DIR="$(torch_folder)" "${cmake_flags[@]}" &&
    cmake --build "$build" -j "$jobs"
}

# The last line is the name of the first GPU.
find_gpu() {
  if ! ldconfig -p | grep -q 'libcuda\.so\.1' && ! python3 -c 'import ctypes; ctypes.CDLL("libcuda.so.1")'; then
    echo "no CUDA driver (libcuda.so.1)"
    return 77
  fi
  nvidia-smi || true
  local name
  name=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -n 1)
  [ -n "$name" ] || { echo "the driver shows no GPU" && return 77; }
  echo "$name"
}

run_tests() {
  local filter=()
  grep -q 'MPIEXEC_EXECUTABLE:.*=/' "$build/CMakeCache.txt" || filter=(-LE '^mpi$')
  ctest --test-dir "$build" -j 1 --output-on-failure --output-junit "$root/$results/tests.xml" "${filter[@]}"
}

# The GPU tests' programs, one per line.
gpu_tests() {
  ctest --test-dir "$build" -L '^gpu$' --show-only=json-v1 |
    python3 -c 'import json, sys
for test in json.load(sys.stdin)["tests"]: print(test["command"][0])' | sort -u
}

# Every kernel test on the GPU under one tool of compute-sanitizer. NCCL's own kernels are not ours to check.
sanitize() {
  [ "$gpu" != none ] || { echo "no GPU" && return 77; }
  command -v compute-sanitizer || { echo "compute-sanitizer is not installed" && return 77; }
  local bad=0 program
  while read -r program; do
    case "$program" in *nccl* | *one_runtime* | *cuda_program*) continue ;; esac
    echo "== $program"
    compute-sanitizer --tool "$1" --error-exitcode 9 "$program" '--gtest_filter=-*/cpu_*' || bad=1
  done < <(gpu_tests)
  return "$bad"
}

# D1: a run twice on the GPU, the same bits; a command without a GPU path yet says so itself. Without a GPU the same on
# the CPU, which does not count.
compare_runs() {
  local folder=$results/repeat run device=cuda
  [ "$gpu" != none ] || device=cpu
  mkdir -p "$folder" && python3 tools/write_interactions.py "$folder/made_up.inter" || return 1
  for run in 1 2; do
    { "$build/rallrec" light_gcn --interactions "$folder/made_up.inter" --output "$folder/$run" --device "$device" \
      --set light_gcn.epochs=25 &&
      "$build/rallrec" align --text "$folder/1/user_embeddings.npy" --graph "$folder/1/user_embeddings.npy" \
        --output "$folder/$run/aligned.npy" --device "$device" --set align.steps=40; } 2>"$folder/$run.err" || {
      cat "$folder/$run.err"
      grep -q 'cannot run on CUDA yet' "$folder/$run.err" && return 77
      return 1
    }
  done
  cmp "$folder/1/item_embeddings.npy" "$folder/2/item_embeddings.npy" &&
    cmp "$folder/1/user_embeddings.npy" "$folder/2/user_embeddings.npy" &&
    cmp "$folder/1/aligned.npy" "$folder/2/aligned.npy" || return 1
  [ "$gpu" != none ] || { echo "no GPU (on the CPU: the same bits twice)" && return 77; }
  echo "light_gcn, align: the same bits twice"
}

# Python with numpy: this repository's own, else the machine's.
python_with_numpy() {
  if [ -x .deps/venv/bin/python3 ]; then
    echo .deps/venv/bin/python3
  else
    echo python3
  fi
}

# The LLM's commands against the CPU's and twice against themselves. Without a GPU the script runs on the CPU alone,
# which does not count.
compare_llm() {
  local device=cuda
  [ "$gpu" != none ] || device=cpu
  "$(python_with_numpy)" tools/compare_llm.py --rallrec "$build/rallrec" --folder "$results/llm" --device "$device" ||
    return 1
  [ "$gpu" != none ] || { echo "no GPU (on the CPU: the script runs)" && return 77; }
}

# D3: what NCCL gives on one GPU has the bits of the host's communicators.
compare_nccl() {
  [ "$gpu" != none ] || { echo "no GPU" && return 77; }
  "$build/nccl_contract_test" '--gtest_filter=*_1' && "$build/reduction_gpu_test"
}

# The arguments of each target's bench stand in $results/benches.txt as "G11<tab>info_nce ...".
run_benches() {
  [ "$gpu" != none ] || { echo "no GPU" && return 77; }
  python3 tools/gpu_report.py --list-benches launch/gpu_targets.toml >"$results/benches.txt" || return 1
  local bad=0 id arguments
  while IFS=$'\t' read -r id arguments; do
    echo "== $id: rallrec bench $arguments --device cuda"
    # shellcheck disable=SC2086
    "$build/rallrec" bench $arguments --device cuda >"$results/$id.jsonl" 2>"$results/$id.err" && continue
    cat "$results/$id.err"
    grep -q 'cannot run on CUDA yet' "$results/$id.err" || bad=1
  done <"$results/benches.txt"
  return "$bad"
}
