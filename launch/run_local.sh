#!/usr/bin/env bash
# Runs a rallrec command on several ranks of this machine.
#
# usage: launch/run_local.sh [--dry-run | --help] [COMMAND FLAGS...]       (default: run --config $CONFIG)
#   --dry-run  prints the resolved config and what a rank holds, moves and takes; starts nothing
#
# Hardware: any machine with OpenMPI; ranks beyond the cores share them, and are slower than fewer ranks.
# Takes: the demo about 3 minutes on two cores of 2020, 10 on those of 2017.
# ends with  the exit code of rallrec: 0 done · 75 stopped by SIGUSR1 after a checkpoint, the same line goes on · others in
# docs/formats.md · 137 a rank was killed
#
#   RANKS=4 THREADS=2 launch/run_local.sh run --config my.toml

set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
: "${RANKS:=2}"                        # processes
: "${THREADS:=}"                       # compute threads of each, [cores / RANKS]; the same bits only at equal threads
: "${CONFIG:=configs/demo.toml}"       # for the default command
: "${RALLREC:=build/rallrec}"          # build-cuda/rallrec with GPUs
: "${MPI_FLAGS:=}"                     # more words for mpirun
: "${PLAN_DEVICE:=cpu}"                # --dry-run: cpu, a100, h100 or h200

# shellcheck source=launch/dry_run.sh
source launch/dry_run.sh
# shellcheck source=launch/env/nccl.sh
source launch/env/nccl.sh
[ "${1-}" != --help ] || { print_head "$0" && exit 0; }
dry=0
[ "${1-}" != --dry-run ] || { dry=1 && shift; }
[ $# -gt 0 ] || set -- run --config "$CONFIG"
require_count RANKS 1
: "${THREADS:=$((RANKS < $(nproc) ? $(nproc) / RANKS : 1))}"
require_count THREADS 1
require_program "$RALLREC"
export OMP_NUM_THREADS=$THREADS
oversubscribe=()
[ "$RANKS" -le "$(nproc)" ] || oversubscribe=(--oversubscribe)
# shellcheck disable=SC2206
line=(mpirun -n "$RANKS" --bind-to none "${oversubscribe[@]}" $MPI_FLAGS "$RALLREC" "$@")
if [ "$dry" = 1 ]; then
  echo "# OMP_NUM_THREADS=$THREADS ${line[*]}"
  dry_run "$RANKS" 1 "$@"
  exit
fi
exec "${line[@]}"
